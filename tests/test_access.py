import json

from odoo.addons.pos_payment_qfpay import courier
from odoo.exceptions import AccessError, UserError
from odoo.service.model import get_public_method
from odoo.tests import HttpCase, JsonRpcException, new_test_user, tagged
from odoo.tools import mute_logger

from .common import POS_KEY, Shop

ADDON = 'odoo.addons.pos_payment_qfpay'
OUR_MODELS = ('qfpay.transaction', 'qfpay.terminal')
# Everything that can be called over RPC and is ours, with what becomes of a cashier's call.
PUBLIC_METHODS = {
    'qfpay.transaction': {
        'action_inquire': 'allowed',
        'action_set_done': 'refused',
        'action_set_failed': 'refused',
        'action_clear_attention': 'refused',
    },
    'qfpay.terminal': {'create': 'refused', 'write': 'refused', 'action_test': 'refused'},
}


class AccessCase(Shop, HttpCase):
    """The shop over RPC, as a browser's console or a script would try it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cashier.group_ids += cls.env.ref('base.group_allow_export')
        cls.visitor = new_test_user(cls.env, 'qfpay_visitor', 'base.group_portal')

    def setUp(self):
        super().setUp()
        self.sent_out = []
        self.patch(courier, 'carry', lambda db_name, row_id: self.sent_out.append(row_id))
        self.bought = self.payment()
        self.row = self.begin(self.bought)
        self.row.state = 'unknown'
        self.env.flush_all()

    def login(self, user):
        self.authenticate(user.login, user.login)

    def call(self, model, method, *args, **kwargs):
        params = {'model': model, 'method': method, 'args': args, 'kwargs': kwargs}
        with mute_logger('odoo.http', 'odoo.addons.base.models.ir_rule', 'py.warnings'):
            return self.make_jsonrpc_request(f'/web/dataset/call_kw/{model}/{method}', params)

    def door(self, name, **params):
        with mute_logger('odoo.http'):
            return self.make_jsonrpc_request(f'/pos_payment_qfpay/{name}', params)

    def assert_access_error(self, call, *args, **kwargs):
        with self.assertRaises(JsonRpcException) as refusal:
            call(*args, **kwargs)
        self.assertIn('AccessError', str(refusal.exception))

    def assert_untouched(self):
        self.env.invalidate_all()
        self.assertEqual(self.row.state, 'unknown')
        self.assertFalse(self.row.cancel_requested_at)
        self.assertFalse(self.row.attention)
        self.assertEqual(self.env['qfpay.transaction'].search_count([]), 1)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestAccessToTheKey(AccessCase):
    """The POS-KEY opens the terminal: cashiers work with it and never see it."""

    def ways_to_the_key(self):
        """Every way of Odoo's to read a field, or to guess it by asking."""
        terminal, till, row = self.terminal, self.till, self.row
        nested = {'fields': {'pos_key': {}}}
        guess = [('pos_key', '=like', 'f4%')]
        yield 'qfpay.terminal', 'read', [terminal.ids, ['pos_key']], {}
        yield 'qfpay.terminal', 'search_read', [[], ['pos_key']], {}
        yield 'qfpay.terminal', 'web_read', [terminal.ids], {'specification': {'pos_key': {}}}
        yield (
            'qfpay.terminal',
            'web_search_read',
            [[]],
            {'specification': {'pos_key': {}}},
        )
        yield 'qfpay.terminal', 'export_data', [terminal.ids, ['pos_key']], {}
        yield 'qfpay.terminal', 'read_group', [[], ['pos_key'], ['pos_key']], {}
        yield (
            'qfpay.terminal',
            'formatted_read_group',
            [[], ['pos_key'], ['__count']],
            {},
        )
        yield (
            'qfpay.terminal',
            'formatted_read_group',
            [[], [], ['pos_key:array_agg']],
            {},
        )
        yield 'qfpay.terminal', 'search', [guess], {}
        yield 'qfpay.terminal', 'search_count', [guess], {}
        yield 'qfpay.terminal', 'name_search', [], {'name': '', 'domain': guess}
        yield 'qfpay.terminal', 'search', [[]], {'order': 'pos_key'}
        yield 'qfpay.terminal', 'write', [terminal.ids, {'name': 'mine'}], {}
        yield 'qfpay.terminal', 'copy', [terminal.ids], {}
        yield 'pos.config', 'search', [[('qfpay_terminal_id.pos_key', '=like', 'f4%')]], {}
        yield 'pos.config', 'export_data', [till.ids, ['qfpay_terminal_id/pos_key']], {}
        yield (
            'pos.config',
            'web_read',
            [till.ids],
            {'specification': {'qfpay_terminal_id': nested}},
        )
        yield 'qfpay.transaction', 'search', [[('terminal_id.pos_key', '=like', 'f4%')]], {}
        yield 'qfpay.transaction', 'export_data', [row.ids, ['terminal_id/pos_key']], {}
        yield (
            'qfpay.transaction',
            'web_read',
            [row.ids],
            {'specification': {'terminal_id': nested}},
        )

    def test_cashier_reads_no_key(self):
        """No way of reading, exporting, grouping, sorting or guessing gives a cashier the key."""
        self.login(self.cashier)
        for model, method, args, kwargs in self.ways_to_the_key():
            with self.subTest(f'{model} {method} {args} {kwargs}'):
                self.assert_access_error(self.call, model, method, *args, **kwargs)

    def test_manager_reads_the_key(self):
        """The same ways work for a manager, so that it is the right that makes the difference."""
        self.login(self.manager)
        found = self.call('qfpay.terminal', 'read', self.terminal.ids, ['pos_key'])
        self.assertEqual(found[0]['pos_key'], POS_KEY)
        guess = [('pos_key', '=like', 'f4%')]
        self.assertIn(self.terminal.id, self.call('qfpay.terminal', 'search', guess))

    def test_records_that_cashiers_read_hold_no_key(self):
        """Whatever a cashier may read whole has the key nowhere in it."""
        self.login(self.cashier)
        for model in (
            'qfpay.terminal',
            'qfpay.transaction',
            'pos.payment.method',
            'pos.payment',
            'pos.config',
        ):
            with self.subTest(model):
                fields = self.call(model, 'fields_get')
                self.assertNotIn('pos_key', fields)
                # Other modules compute some from what a cashier may not read.
                plain = [
                    name
                    for name, field in fields.items()
                    if field.get('store') and 'relation' not in field
                ]
                records = self.call(model, 'search_read', [], plain)
                self.assertTrue(records)
                self.assertNotIn(POS_KEY, json.dumps(records))

    def test_till_loads_no_key(self):
        """What a till loads to work is free of the key."""
        self.login(self.cashier)
        session = self.till.current_session_id
        loaded = self.call('pos.session', 'load_data', session.ids, [])
        self.assertIn('qfpay_ecr_channel', json.dumps(loaded['pos.payment.method']))
        self.assertNotIn(POS_KEY, json.dumps(loaded))

    def test_copy_of_a_terminal_has_no_key(self):
        """A terminal that is duplicated asks for its own key."""
        copy = self.terminal.copy()
        self.assertFalse(copy.pos_key)
        self.assertFalse(copy.host, 'No two terminals have one address')


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestAccessToTheDoors(AccessCase):
    """Who may knock."""

    def assert_no_door_opens(self, error):
        uuid = self.bought.uuid
        for name, params in (
            ('start', {'payment_uuid': uuid}),
            ('status', {'payment_uuids': [uuid]}),
            ('cancel', {'payment_uuid': uuid}),
        ):
            with self.subTest(name), self.assertRaises(JsonRpcException) as refusal:
                self.door(name, **params)
            self.assertIn(error, str(refusal.exception))
        self.assert_untouched()

    def test_employee_without_rights_at_the_till(self):
        """An employee who does not sell can call no door."""
        self.login(self.clerk)
        self.assert_no_door_opens('Forbidden')

    def test_customer_of_the_portal(self):
        """A customer with a portal login can call no door."""
        self.login(self.visitor)
        self.assert_no_door_opens('Forbidden')

    def test_nobody(self):
        """Without a login no door opens."""
        self.authenticate(None, None)
        self.assert_no_door_opens('SessionExpired')

    def test_cashier_of_another_company(self):
        """To a cashier of another company this payment does not exist."""
        self.login(self.stranger)
        uuid = self.bought.uuid
        self.assertEqual(self.door('start', payment_uuid=uuid)['error']['code'], 'not_found')
        nothing = {'payment_uuid': uuid, 'state': 'none'}
        self.assertEqual(self.door('status', payment_uuids=[uuid])['payments'], [nothing])
        asked = self.door('status', payment_uuids=[uuid], inquire=True)
        self.assertEqual(asked['payments'], [nothing])
        self.assertEqual(self.door('cancel', payment_uuid=uuid)['payment'], nothing)
        self.assert_untouched()

    def test_cashier(self):
        """The cashier of the shop sees how the payment stands."""
        self.login(self.cashier)
        (status,) = self.door('status', payment_uuids=[self.bought.uuid])['payments']
        self.assertEqual(status['state'], 'unknown')


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestAccessToTheLedger(AccessCase):
    """Who may see, and who may act."""

    def test_who_sees(self):
        """The shop's own people see ledger and terminals; nobody else does."""
        for user, sees in ((self.cashier, True), (self.manager, True), (self.stranger, False)):
            self.login(user)
            for model, record in (
                ('qfpay.transaction', self.row),
                ('qfpay.terminal', self.terminal),
            ):
                with self.subTest(f'{user.login} {model}'):
                    found = self.call(model, 'search', [])
                    self.assertEqual(record.id in found, sees)
                    if not sees:
                        self.assert_access_error(self.call, model, 'read', record.ids, ['id'])
        for user in (self.clerk, self.visitor):
            self.login(user)
            for model in OUR_MODELS:
                with self.subTest(f'{user.login} {model}'):
                    self.assert_access_error(self.call, model, 'search', [])

    def test_private_methods_stay_private(self):
        """What the server's parts say to each other cannot be called from outside."""
        for name in (*OUR_MODELS, 'pos.payment', 'pos.order', 'pos.config', 'pos.payment.method'):
            model = self.env[name]
            ours = [
                method
                for cls in type(model).mro()
                if cls.__module__.startswith(ADDON)
                for method in vars(cls)
                if method.startswith('_') and callable(getattr(model, method, None))
            ]
            self.assertTrue(ours)
            for method in ours:
                with self.subTest(f'{name}.{method}'), self.assertRaises(AccessError):
                    get_public_method(model, method)

    def test_private_methods_over_rpc(self):
        """A cashier cannot tell the ledger a result, nor start past the door."""
        self.login(self.cashier)
        ids = self.row.ids
        for method, args in (
            ('_start', [self.bought.uuid]),
            ('_learn', [ids, {'verdict': 'done'}, 'answer']),
            ('_move', [ids, 'done', 'answer', {}]),
            ('_decide', [ids, 'done']),
            ('_claim', [ids]),
        ):
            with self.subTest(method):
                self.assert_access_error(self.call, 'qfpay.transaction', method, *args)
        self.assert_access_error(self.call, 'qfpay.terminal', '_terminal', self.terminal.ids)
        self.assert_untouched()

    def test_every_public_method_is_known_here(self):
        """A method that anybody can call is listed above, with what a cashier gets from it."""
        for name, known in PUBLIC_METHODS.items():
            public = {
                method
                for cls in type(self.env[name]).mro()
                if cls.__module__.startswith(ADDON)
                for method, value in vars(cls).items()
                if not method.startswith('_') and callable(value)
            }
            self.assertEqual(public, set(known))

    def test_public_methods_called_by_a_cashier(self):
        """A cashier can have QFPay asked again, and nothing else."""
        self.login(self.cashier)
        arguments = {'create': [{'name': 'mine'}], 'write': [self.terminal.ids, {'name': 'mine'}]}
        for name, methods in PUBLIC_METHODS.items():
            record = self.row if name == 'qfpay.transaction' else self.terminal
            for method, outcome in methods.items():
                with self.subTest(f'{name}.{method}'):
                    args = arguments.get(method, [record.ids])
                    if outcome == 'allowed':
                        self.call(name, method, *args)
                        self.assertEqual(self.sent_out, record.ids)
                    else:
                        self.assert_access_error(self.call, name, method, *args)
        self.assert_untouched()

    def test_public_methods_called_by_a_stranger(self):
        """People of another company, or without rights at the till, get nothing from them."""
        for user in (self.stranger, self.clerk, self.visitor):
            self.login(user)
            for name, methods in PUBLIC_METHODS.items():
                record = self.row if name == 'qfpay.transaction' else self.terminal
                for method in set(methods) - {'create', 'write'}:
                    with self.subTest(f'{user.login} {name}.{method}'):
                        self.assert_access_error(self.call, name, method, record.ids)
        self.assert_untouched()

    def test_ledger_cannot_be_written_over_rpc(self):
        """Neither cashier nor manager writes the ledger, by whatever method of Odoo's."""
        values = {'state': 'done', 'reference': 'forged'}
        for user in (self.cashier, self.manager):
            self.login(user)
            for method, args, kwargs in (
                ('write', [self.row.ids, values], {}),
                ('create', [values], {}),
                ('unlink', [self.row.ids], {}),
                ('copy', [self.row.ids], {}),
                ('web_save', [self.row.ids, values], {'specification': {}}),
                ('name_create', ['forged'], {}),
            ):
                with self.subTest(f'{user.login} {method}'):
                    self.assert_access_error(
                        self.call, 'qfpay.transaction', method, *args, **kwargs
                    )
        self.assert_untouched()

    def test_terminal_of_another_company_at_a_till(self):
        """A till cannot be given a terminal of another company."""
        theirs = self.env['qfpay.terminal'].create(
            {'name': 'Theirs', 'company_id': self.other_company.id, 'port': 9100}
        )
        self.login(self.manager)
        with self.assertRaises(JsonRpcException):
            self.call('pos.config', 'write', self.till.ids, {'qfpay_terminal_id': theirs.id})
        self.env.invalidate_all()
        self.assertEqual(self.till.qfpay_terminal_id, self.terminal)

    def test_terminal_stays_in_the_company_of_its_tills(self):
        """A terminal that stands at a till does not go to another company."""
        with self.assertRaises(UserError):
            self.terminal.company_id = self.other_company

    def test_account_of_another_company(self):
        """A payment method takes money for its own company only, whichever end is moved."""
        account = self.env['qfpay.account'].create({'name': 'Ours'})
        method = self.env['pos.payment.method'].create(
            {
                'name': 'Alipay code',
                'payment_method_type': 'terminal',
                'use_payment_terminal': 'qfpay_openapi',
                'qfpay_account_id': account.id,
                'qfpay_pay_type': '800101',
            }
        )
        theirs = account.copy({'company_id': self.other_company.id})
        with self.assertRaises(UserError):
            method.qfpay_account_id = theirs
        with self.assertRaises(UserError):
            account.company_id = self.other_company
