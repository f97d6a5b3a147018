import psycopg2

from odoo.addons.pos_payment_qfpay.qfpay.outcome import Outcome, Verdict
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import Form, tagged
from odoo.tools import mute_logger

from .common import POS_KEY, ShopCase, SimulatorCase


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestTerminalSettings(ShopCase):
    """What a manager enters for a terminal."""

    def new_terminal(self, **values):
        """A terminal with an address of its own."""
        values = {'name': 'Counter 9', 'host': '192.168.1.50', 'pos_key': POS_KEY, **values}
        return self.env['qfpay.terminal'].with_user(self.manager).create(values)

    def assert_refused(self, sentence, **values):
        with self.assertRaises(ValidationError) as refusal, self.env.cr.savepoint():
            self.new_terminal(**values)
        self.assertIn(sentence, str(refusal.exception))

    def test_keys(self):
        """A POS-KEY of 16, 24 or 32 characters is taken, blanks around it forgotten."""
        for length in (16, 24, 32):
            terminal = self.new_terminal(pos_key=f' {"k" * length}\n', port=9000 + length)
            self.assertEqual(terminal.pos_key, 'k' * length)

    def test_keys_of_another_length(self):
        """Any other length is refused when it is saved, and the message says where to look."""
        for key in ('k', 'k' * 15, 'k' * 17, 'k' * 31, 'k' * 33, 'k' * 64, '鍵' * 16):
            with self.subTest(len(key)):
                self.assert_refused('POS-Key', pos_key=key)
        terminal = self.new_terminal()
        with self.assertRaises(ValidationError):
            terminal.pos_key = 'short'

    def test_refusal_does_not_repeat_the_key(self):
        """A key that is refused does not stand in the message."""
        with self.assertRaises(ValidationError) as refusal:
            self.new_terminal(pos_key='secret-of-the-shop')
        self.assertNotIn('secret', str(refusal.exception))

    def test_addresses(self):
        """An IP address or a name is an address; blanks around it are forgotten."""
        for host in ('192.168.1.50', 'counter-1', 'counter-1.shop.example', '::1', ' 10.0.0.7 '):
            self.assertEqual(self.new_terminal(host=host).host, host.strip())

    def test_addresses_that_are_none(self):
        """What is no address is refused, with what was entered and an example."""
        for host in (
            'http://192.168.1.50',
            '192.168.1.50:9001',
            '192.168.1.50/api',
            '192.168.1',
            '192.168.1.500',
            'counter 1',
            'user@counter-1',
            "counter'1",
            'counter..1',
            '-counter',
            'x' * 300,
            '0.0.0.0',
            '255.255.255.255',
            '224.0.0.1',
            'fe80::1%eth0',
        ):
            with self.subTest(host):
                self.assert_refused(host, host=host)

    def test_ports(self):
        """Ports go from 1 to 65535."""
        for port in (1, 65535):
            self.new_terminal(port=port)
        for port in (0, -1, 65536):
            self.assert_refused(str(port), port=port)

    def test_waiting_time(self):
        """A customer gets between half a minute and ten."""
        for seconds in (30, 600):
            self.new_terminal(timeout=seconds, port=9000 + seconds)
        for seconds in (0, 29, 601):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.new_terminal(timeout=seconds)

    def test_no_key_in_the_log(self):
        """Odoo logs statements that the database refuses, and the database quotes whole rows."""
        taken = self.new_terminal()
        other = self.new_terminal(port=9100)
        for attempt in (
            self.new_terminal,
            lambda: other.write({'port': taken.port, 'pos_key': POS_KEY}),
        ):
            with (
                self.assertLogs('odoo.sql_db', 'ERROR') as said,
                self.assertRaises(psycopg2.errors.UniqueViolation) as refusal,
                self.env.cr.savepoint(),
            ):
                attempt()
            self.assertNotIn(POS_KEY, f'{said.output} {refusal.exception}')
        for name in ('name', 'company_id', 'model', 'port', 'timeout'):
            with self.assertNoLogs('odoo.sql_db', 'ERROR'), self.assertRaises(ValidationError):
                other.write({name: False})

    def test_terminal_is_not_put_away_while_a_payment_is_under_way(self):
        """Another record of the same device could disturb the payment, not knowing of it."""
        row = self.begin(self.payment())
        with self.assertRaisesRegex(UserError, 'under way'):
            self.terminal.active = False
        self.close(row)
        self.terminal.active = False

    def test_whether_a_terminal_encrypts_is_learned(self):
        """From its own words, and forgotten with the device, or its key."""
        row = self.begin(self.payment())
        errand = self.send_out(row)
        self.assertFalse(errand.seals)
        self.report(errand, Outcome(verdict=Verdict.UNKNOWN, code='6002'))
        self.learn(row, Outcome(verdict=Verdict.PENDING, signed=True), 'notification')
        self.assertFalse(self.terminal.sealed)
        self.age(row, 5)
        self.report(self.claim(row), Outcome(verdict=Verdict.UNKNOWN, code='4005', signed=True))
        self.assertTrue(self.terminal.sealed)
        self.age(row, 60)
        self.assertTrue(self.claim(row).seals)
        self.terminal.timeout = 60
        self.assertTrue(self.terminal.sealed)
        self.terminal.pos_key = POS_KEY
        self.assertFalse(self.terminal.sealed)

    def test_one_terminal_per_address(self):
        """One device is one terminal, or two tills could use it at once."""
        first = self.new_terminal()
        with (
            self.assertRaises(psycopg2.errors.UniqueViolation),
            mute_logger('odoo.sql_db'),
            self.env.cr.savepoint(),
        ):
            self.new_terminal()
        first.active = False
        first.flush_recordset()
        self.new_terminal()

    def test_terminal_of_a_till_cannot_be_deleted(self):
        """A terminal that stands at a till, or was paid at, stays."""
        with self.assertRaisesRegex(UserError, 'Archive it instead'):
            self.terminal.unlink()
        self.begin(self.payment())
        self.till.qfpay_terminal_id = False
        with self.assertRaisesRegex(UserError, 'Archive it instead'):
            self.terminal.unlink()

    def test_address_stays_while_a_payment_is_under_way(self):
        # Another device there would deny a payment that it has never seen.
        row = self.begin(self.payment())
        for values in ({'host': '127.0.0.9'}, {'port': 9009}):
            with self.assertRaisesRegex(UserError, 'under way'):
                self.terminal.write(values)
        self.terminal.timeout = 60
        self.close(row)
        self.terminal.write({'host': '127.0.0.9', 'port': 9009})

    def test_key_can_change_while_a_session_is_open(self):
        """A key that was made anew on the terminal is entered without closing the shop."""
        self.assertEqual(self.till.current_session_id.state, 'opened')
        self.terminal.with_user(self.manager).pos_key = '0123456789abcdef'
        self.assertTrue(self.begin(self.payment()))


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestTillSettings(ShopCase):
    """What is set at a till and on a payment method."""

    def dollar_till(self, methods):
        """A till that sells in US dollars."""
        journal = self._journal('Dollars', 'sale', currency_id=self.usd.id)
        return self.env['pos.config'].create(
            {
                'name': 'Dollar till',
                'journal_id': journal.id,
                'payment_method_ids': [Command.set(methods.ids)],
            }
        )

    def plain_method(self):
        return self.env['pos.payment.method'].create(
            {
                'name': 'Bank',
                'journal_id': self._journal('Plain', 'bank').id,
                'receivable_account_id': self._receivable().id,
            }
        )

    def close_sessions(self):
        (self.till | self.till_2).current_session_id.state = 'closed'

    def test_till_in_another_currency(self):
        """A till that sells in another currency takes neither terminal nor terminal method."""
        plain = self.plain_method()
        till = self.dollar_till(plain)
        for values in (
            {'qfpay_terminal_id': self.terminal.id},
            {'payment_method_ids': [Command.link(self.card.id)]},
        ):
            with self.assertRaises(ValidationError) as refusal, self.env.cr.savepoint():
                till.write(values)
            for word in ('HKD', 'USD', 'Dollar till'):
                self.assertIn(word, str(refusal.exception))
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.dollar_till(self.card)

    def test_method_given_to_a_till_in_another_currency(self):
        """Nor does the method take such a till."""
        plain = self.plain_method()
        till = self.dollar_till(plain)
        method = self._method('card_payment')
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            method.config_ids = till
        till.current_session_id.state = 'closed'
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            plain.write(
                {
                    'payment_method_type': 'terminal',
                    'use_payment_terminal': 'qfpay_ecr',
                    'qfpay_ecr_channel': 'wx',
                }
            )

    def test_till_that_changes_its_currency(self):
        """A till with a terminal keeps its currency."""
        self.close_sessions()
        journal = self._journal('Dollars', 'sale', currency_id=self.usd.id)
        with self.assertRaises(ValidationError) as refusal, self.env.cr.savepoint():
            self.till.journal_id = journal
        self.assertIn('HKD', str(refusal.exception))

    def test_method_without_a_channel(self):
        """A terminal method must say what the terminal asks the customer for."""
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self._method('card_payment', qfpay_ecr_channel=False)
        with self.assertRaises(ValidationError), self.env.cr.savepoint():
            self.plain_method().write(
                {'payment_method_type': 'terminal', 'use_payment_terminal': 'qfpay_ecr'}
            )

    def test_every_channel_can_be_chosen(self):
        """All nine ways to pay of a terminal are on offer, each with a name."""
        channels = dict(self.env['pos.payment.method']._get_qfpay_ecr_channels())
        self.assertEqual(len(channels), 9)
        self.assertTrue(all(channels.values()))
        for channel in channels:
            self.assertEqual(self._method(channel)._qfpay_provider(), 'ecr')

    def test_other_provider_loses_the_channel(self):
        """A method that changes to something else forgets its channel."""
        method = self._method('card_payment')
        with Form(method) as form:
            form.payment_method_type = 'none'
        self.assertFalse(method.use_payment_terminal)
        self.assertFalse(method._qfpay_provider())

    def test_terminal_in_the_settings(self):
        """The till's terminal is chosen in the settings of the Point of Sale."""
        settings = self.env['res.config.settings'].create({'pos_config_id': self.till.id})
        self.assertEqual(settings.pos_qfpay_terminal_id, self.terminal)
        settings.pos_qfpay_terminal_id = self.terminal_2
        self.assertEqual(self.till.qfpay_terminal_id, self.terminal_2)

    def test_one_method_serves_every_till(self):
        """The same method asks on the terminal of whichever till it is used at."""
        here = self.begin(self.payment(method=self.card))
        there = self.begin(self.payment(method=self.card, till=self.till_2))
        self.assertEqual(here.terminal_id, self.terminal)
        self.assertEqual(there.terminal_id, self.terminal_2)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestConnection(SimulatorCase):
    """The button that tests the connection to a terminal."""

    def press_test(self, terminal=None):
        """What the manager reads after pressing it.

        :return: whether all is well, and the sentence
        """
        notice = (terminal or self.terminal).with_user(self.manager).action_test()
        self.assertEqual(notice['tag'], 'display_notification')
        return notice['params']['type'] == 'success', notice['params']['message']

    def test_encryption_is_learned_and_unlearned(self):
        """Pressed after encryption was switched off in the portal: told, and believed from now."""
        self.assertTrue(self.press_test()[0])
        self.assertTrue(self.terminal.sealed)
        self.simulator.set(encrypt=False, mode='approve')
        notice = self.terminal.with_user(self.manager).action_test()
        self.assertEqual(notice['params']['type'], 'warning')
        self.assertIn('no longer encrypts', notice['params']['message'])
        self.assertFalse(self.terminal.sealed)
        self.assertTrue(self.press_test()[0])
        payment = self.payment()
        self.start(payment)
        self.wait_for_state(payment, 'done')
        self.simulator.set(encrypt=True)
        self.assertTrue(self.press_test()[0])
        self.assertTrue(self.terminal.sealed)

    def test_encryption_that_was_switched_off_is_no_dead_end(self):
        """A payment whose answer came in the clear is known after the test was pressed."""
        self.terminal.sudo().sealed = True
        self.simulator.set(encrypt=False, mode='approve')
        payment = self.payment()
        self.start(payment)
        status = self.wait_for_state(payment, 'unknown')
        self.assertIn('Test Connection', status['message'])
        self.status(payment, inquire=True)
        self.wait(lambda: self.simulator.requests(4001), 'an inquiry')
        self.assertEqual(self.status(payment)[0]['state'], 'unknown')
        self.press_test()
        self.env.flush_all()
        self.status(payment, inquire=True)
        self.wait_for_state(payment, 'done')

    def assert_trouble(self, word):
        is_well, sentence = self.press_test()
        self.assertFalse(is_well)
        self.assertIn(word, sentence)

    def test_all_is_well(self):
        """The terminal answers: the manager is told so, and nothing was asked of a customer."""
        for shape in ('object', 'json_string', 'base64', 'base64_lines'):
            self.simulator.set(answer_shape=shape)
            is_well, sentence = self.press_test()
            self.assertTrue(is_well, sentence)
            self.assertIn('Counter 1', sentence)
        self.assertEqual({entry['func_type'] for entry in self.simulator.requests()}, {4001})
        self.assertFalse(self.simulator.trades())
        self.assertEqual(self.simulator.state(), 'IDLE')

    def test_while_a_customer_pays(self):
        """The test disturbs no payment that is under way."""
        payment = self.payment()
        self.start(payment)
        self.status(payment)
        self.wait_for_terminal('WAIT_CUSTOMER')
        self.assertTrue(self.press_test()[0])
        self.simulator.press('approve')
        self.wait_for_state(payment, 'done')

    def test_nobody_answers(self):
        """A terminal that is off, or another port: the address that was tried is named."""
        self.simulator.set(reachable=False)
        self.assert_trouble(f'127.0.0.1, port {self.terminal.port}')

    def test_another_key(self):
        """A key that does not fit, of either side."""
        self.simulator.set(pos_key='0123456789abcdef')
        self.assert_trouble('POS-KEY')
        self.simulator.set(clear_refusals=False)
        self.assert_trouble('POS-KEY')
        self.simulator.reset()
        self.simulator.set(fault='wrong_key')
        self.assert_trouble('POS-KEY')

    def test_somebody_else_answers(self):
        """Something at that address that is no terminal."""
        for fault in ('html', 'garbage', 'empty', 'http_500', 'redirect', 'truncated', 'huge'):
            with self.subTest(fault):
                self.simulator.set(fault=fault)
                self.assert_trouble('127.0.0.1')

    def test_terminal_says_no(self):
        """Nobody is signed in on the terminal, or it refuses: the manager reads what to do."""
        self.simulator.set(fault='logged_out')
        self.assert_trouble('Sign in')
        for fault in ('busy', 'unknown_code'):
            self.simulator.set(fault=fault, fault_for=[4001])
            is_well, sentence = self.press_test()
            self.assertFalse(is_well)
            self.assertGreater(len(sentence), 20)

    def test_not_set_up(self):
        """Without address or key the manager is told what to enter, and nothing is sent."""
        for name in ('host', 'pos_key'):
            before = self.terminal[name]
            self.terminal[name] = False
            with self.assertRaises(UserError) as refusal:
                self.press_test()
            self.assertIn('Counter 1', str(refusal.exception))
            self.terminal[name] = before
        self.assertFalse(self.simulator.requests())
