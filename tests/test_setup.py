from odoo import Command
from odoo.addons.pos_payment_qfpay.cashier.messages import explain_terminal_code
from odoo.tests import Form, tagged
from odoo.tools.translate import code_translations

from .common import POS_KEY, ShopCase


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestSetup(ShopCase):
    """What the forms tell a manager who sets up a shop, and in which words."""

    def as_manager(self, record):
        return record.with_user(self.manager)

    def test_all_is_well(self):
        """Nothing is said where nothing is missing."""
        self.assertFalse(self.as_manager(self.terminal).setup_hint)
        self.assertFalse(self.as_manager(self.card).qfpay_setup_hint)

    def test_till_without_terminal(self):
        """A method names the tills of its own that have no terminal."""
        self.till_2.qfpay_terminal_id = False
        hint = self.as_manager(self.card).qfpay_setup_hint
        self.assertIn(self.till_2.name, hint)
        self.assertNotIn(self.till.name, hint)

    def test_terminal_without_key(self):
        """A terminal that cannot be spoken to yet is named where its till is used."""
        self.terminal.pos_key = False
        self.assertIn(self.terminal.name, self.as_manager(self.card).qfpay_setup_hint)

    def test_terminal_without_till(self):
        """A terminal that no till uses says so."""
        self.till_2.qfpay_terminal_id = False
        self.assertTrue(self.as_manager(self.terminal_2).setup_hint)

    def test_terminal_without_methods(self):
        """A terminal at a till without any QFPay method says so."""
        self.terminal_2.config_ids = self._till('Till 3', self._terminal_3())
        self.env['pos.config'].search([('name', '=', 'Till 3')]).payment_method_ids = [
            Command.set([])
        ]
        self.assertIn('Till 3', self.as_manager(self.terminal_2).setup_hint)

    def _terminal_3(self):
        return self.env['qfpay.terminal'].create(
            {'name': 'Counter 3', 'host': '127.0.0.1', 'port': 3, 'pos_key': POS_KEY}
        )

    def test_model_without_card_reader(self):
        """A PAX A920 takes wallets; cards and Octopus at its tills are warned of, not forbidden."""
        self.terminal.model = 'pax_a920'
        hint = self.as_manager(self.terminal).setup_hint
        for refused in (self.card, self.octopus):
            self.assertIn(refused.name, hint)
            self.assertIn(self.terminal.name, self.as_manager(refused).qfpay_setup_hint)
        for taken in (self.wallet, self.fps):
            self.assertNotIn(taken.name, hint)
            self.assertFalse(self.as_manager(taken).qfpay_setup_hint)

    def test_settings(self):
        """The settings judge the terminal and the methods that stand in the form."""
        settings = self.env['res.config.settings'].create({'pos_config_id': self.till.id})
        self.assertFalse(settings.pos_qfpay_setup_hint)
        settings.pos_qfpay_terminal_id = False
        self.assertIn(self.till.name, settings.pos_qfpay_setup_hint)

    def test_choosing_tills_on_the_terminal(self):
        """A manager who may not open the settings brings a terminal to a till, also a busy one."""
        self.assertTrue(self.till_2.current_session_id)
        self.as_manager(self.terminal).config_ids = [Command.link(self.till_2.id)]
        self.assertEqual(self.till_2.qfpay_terminal_id, self.terminal)

    def test_method_in_four_fields(self):
        """A manager makes a payment method from the terminal; its name comes from the channel."""
        methods = self.env['pos.payment.method'].with_user(self.manager)
        methods = methods.with_context(
            default_payment_method_type='terminal',
            default_use_payment_terminal='qfpay_ecr',
            default_config_ids=self._till('Till 4', self._terminal_3()).ids,
        )
        view = 'pos_payment_qfpay.qfpay_payment_method_view_form'
        with Form(methods, view) as form:
            form.qfpay_ecr_channel = 'payme'
            form.journal_id = self.bank
        method = form.save()
        self.assertEqual(method.name, 'PayMe')
        self.assertEqual(method._qfpay_provider(), 'ecr')
        self.assertEqual(method.config_ids.name, 'Till 4')

    def test_words_of_hong_kong(self):
        """Cashiers in Hong Kong read the words of Hong Kong, from the server and in the browser."""
        self.env['res.lang']._activate_lang('zh_HK')
        self.env['ir.module.module']._load_module_terms(['pos_payment_qfpay'], ['zh_HK'])
        env = self.env(context={'lang': 'zh_HK'})
        self.assertIn('終端機', explain_terminal_code(env, '4007'))
        state = env['qfpay.transaction']._fields['state']
        states = dict(state._description_selection(env))
        self.assertEqual(states['unknown'], '結果未明')
        words = code_translations.get_web_translations('pos_payment_qfpay', 'zh_HK')
        messages = {message['id']: message['string'] for message in words['messages']}
        self.assertEqual(messages['Nothing was paid.'], '沒有付款。')
