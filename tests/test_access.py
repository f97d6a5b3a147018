import json

from odoo.exceptions import AccessError, UserError
from odoo.service.model import get_public_method
from odoo.tests import HttpCase, JsonRpcException, new_test_user, tagged
from odoo.tools import mute_logger

from .common import POS_KEY, Shop
from .openapi_shop import CLIENT_KEY, OpenApiShop

ADDON = 'odoo.addons.pos_payment_qfpay'
# What the shop's own cashiers may see, and what only its managers, or nobody there.
FOR_CASHIERS = ('qfpay.transaction', 'qfpay.terminal', 'qfpay.account')
FOR_MANAGERS = ('qfpay.testimony',)
FOR_NOBODY = ('qfpay.link',)
OUR_MODELS = (*FOR_CASHIERS, *FOR_MANAGERS, *FOR_NOBODY)
# Everything that can be called over RPC and is ours, with what becomes of a cashier's call.
PUBLIC_METHODS = {
    'qfpay.transaction': {
        'action_inquire': 'allowed',
        'action_set_done': 'refused',
        'action_set_failed': 'refused',
        'action_clear_attention': 'refused',
        'action_download_conversation': 'refused',
    },
    # create and write are the mixin's
    'qfpay.terminal': {'create': 'refused', 'write': 'refused', 'action_test': 'refused'},
    'qfpay.account': {'create': 'refused', 'write': 'refused', 'action_test': 'refused'},
    'qfpay.testimony': {'write': 'refused'},
    'qfpay.link': {},
}


class AccessCase(OpenApiShop, Shop, HttpCase):
    """The shop over RPC, as a browser's console or a script would try it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cashier.group_ids += cls.env.ref('base.group_allow_export')
        cls.visitor = new_test_user(cls.env, 'qfpay_visitor', 'base.group_portal')

    def setUp(self):
        super().setUp()
        self.keep_couriers_home()
        self.row = self.row_in('unknown')
        self.bought = self.row.pos_payment_id
        self.env.cr.postcommit.clear()
        self.sent_out.clear()
        self.words = len(self.row.testimony_ids)
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

    def record_of(self, model):
        """One record of each of our models."""
        return {
            'qfpay.transaction': self.row,
            'qfpay.terminal': self.terminal,
            'qfpay.account': self.account,
            'qfpay.testimony': self.row.testimony_ids[0],
            'qfpay.link': self.terminal.link_id,
        }[model]

    def assert_access_error(self, call, *args, **kwargs):
        with self.assertRaises(JsonRpcException) as refusal:
            call(*args, **kwargs)
        self.assertIn('AccessError', str(refusal.exception))

    def assert_untouched(self):
        self.env.invalidate_all()
        self.assertEqual(self.row.state, 'unknown')
        self.assertFalse(self.row.cancel_requested_at)
        self.assertFalse(self.row.needs_attention)
        self.assertEqual(len(self.row.testimony_ids), self.words)
        self.assertEqual(self.env['qfpay.transaction'].search_count([]), 1)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestAccessToTheKey(AccessCase):
    """POS-KEY and client key open the till: cashiers work with them and never see them."""

    SECRETS = (
        ('qfpay.terminal', 'pos_key', POS_KEY),
        ('qfpay.account', 'client_key', CLIENT_KEY),
        ('qfpay.account', 'app_code', 'APPCODE1'),
        ('qfpay.account', 'notify_token', None),
        ('qfpay.account', 'notify_url', None),
    )
    # How other models come to such a record.
    WAYS = (
        ('pos.config', 'till', 'qfpay_terminal_id', 'qfpay.terminal'),
        ('qfpay.transaction', 'row', 'terminal_id', 'qfpay.terminal'),
        ('pos.payment.method', 'shown', 'qfpay_account_id', 'qfpay.account'),
        ('qfpay.transaction', 'row', 'account_id', 'qfpay.account'),
    )

    def ways_to(self, model, name):
        """Every way of Odoo's to read a field, or to guess it by asking."""
        record = self.record_of(model)
        yield model, 'read', [record.ids, [name]], {}
        yield model, 'search_read', [[], [name]], {}
        yield model, 'web_read', [record.ids], {'specification': {name: {}}}
        yield model, 'web_search_read', [[]], {'specification': {name: {}}}
        yield model, 'export_data', [record.ids, [name]], {}
        yield model, 'write', [record.ids, {'name': 'mine'}], {}
        yield model, 'copy', [record.ids], {}
        for other, attribute, field, target in self.WAYS:
            if target == model:
                theirs = getattr(self, attribute)
                nested = {field: {'fields': {name: {}}}}
                yield other, 'export_data', [theirs.ids, [f'{field}/{name}']], {}
                yield other, 'web_read', [theirs.ids], {'specification': nested}
        if not record._fields[name].store:
            return
        guess = [(name, '=like', 'f4%')]
        yield model, 'read_group', [[], [name], [name]], {}
        yield model, 'formatted_read_group', [[], [name], ['__count']], {}
        yield model, 'formatted_read_group', [[], [], [f'{name}:array_agg']], {}
        yield model, 'search', [guess], {}
        yield model, 'search_count', [guess], {}
        yield model, 'name_search', [], {'name': '', 'domain': guess}
        yield model, 'search', [[]], {'order': name}
        for other, _attribute, field, target in self.WAYS:
            if target == model:
                yield other, 'search', [[(f'{field}.{name}', '=like', 'f4%')]], {}

    def test_cashier_reads_no_key(self):
        """No way of reading, exporting, grouping, sorting or guessing gives a cashier the key."""
        self.login(self.cashier)
        # a row of a terminal has no account: reading nothing tells nothing
        self.row.sudo().account_id = self.account
        self.env.flush_all()
        for model, name, _value in self.SECRETS:
            for way in self.ways_to(model, name):
                called, method, args, kwargs = way
                with self.subTest(f'{name}: {called} {method} {args} {kwargs}'):
                    self.assert_access_error(self.call, called, method, *args, **kwargs)

    def test_manager_reads_the_key(self):
        """The same ways work for a manager, so that it is the right that makes the difference."""
        self.login(self.manager)
        for model, name, value in self.SECRETS:
            record = self.record_of(model)
            found = self.call(model, 'read', record.ids, [name])[0][name]
            self.assertEqual(found, value or record[name])
        guess = [('pos_key', '=like', 'f4%')]
        self.assertIn(self.terminal.id, self.call('qfpay.terminal', 'search', guess))

    def test_customers_code_is_for_nobody(self):
        """A scanned code could be charged again: neither cashiers nor managers read it."""
        for user in (self.cashier, self.manager):
            self.login(user)
            with self.subTest(user.login):
                self.assert_access_error(
                    self.call, 'qfpay.transaction', 'read', self.row.ids, ['auth_code']
                )

    def assert_no_secret(self, data):
        text = json.dumps(data)
        for _model, name, value in self.SECRETS:
            self.assertNotIn(value or self.account[name], text)

    def test_records_that_cashiers_read_hold_no_key(self):
        """Whatever a cashier may read whole has no key anywhere in it."""
        self.login(self.cashier)
        for model in (*FOR_CASHIERS, 'pos.payment.method', 'pos.payment', 'pos.config'):
            with self.subTest(model):
                fields = self.call(model, 'fields_get')
                self.assertFalse(fields.keys() & {name for _model, name, _value in self.SECRETS})
                # Other modules compute some from what a cashier may not read.
                plain = [
                    name
                    for name, field in fields.items()
                    if field.get('store') and 'relation' not in field
                ]
                records = self.call(model, 'search_read', [], plain)
                self.assertTrue(records)
                self.assert_no_secret(records)

    def test_till_loads_no_key(self):
        """What a till loads to work is free of the key."""
        self.login(self.cashier)
        session = self.till.current_session_id
        loaded = self.call('pos.session', 'load_data', session.ids, [])
        self.assertIn('qfpay_ecr_channel', json.dumps(loaded['pos.payment.method']))
        self.assert_no_secret(loaded)

    def test_copy_of_a_terminal_has_no_key(self):
        """A terminal that is duplicated asks for its own key."""
        copy = self.terminal.copy()
        self.assertFalse(copy.pos_key)
        self.assertFalse(copy.host, 'No two terminals have one address')
        self.assertNotEqual(copy.link_id, self.terminal.link_id)

    def test_copy_of_an_account_has_no_key(self):
        """An account that is duplicated asks for its own, and has an address of its own."""
        copy = self.account.copy({'environment': 'sandbox'})
        for name in ('app_code', 'client_key', 'mchid'):
            self.assertFalse(copy[name])
        self.assertNotEqual(copy.notify_token, self.account.notify_token)
        self.assertNotEqual(copy.link_id, self.account.link_id)


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
        """The shop's own people see ledger, terminals and accounts; nobody else does."""
        for user, models in (
            (self.cashier, FOR_CASHIERS),
            (self.manager, (*FOR_CASHIERS, *FOR_MANAGERS)),
        ):
            self.login(user)
            for model in OUR_MODELS:
                with self.subTest(f'{user.login} {model}'):
                    if model in models:
                        record = self.record_of(model)
                        self.assertIn(record.id, self.call(model, 'search', []))
                    else:
                        self.assert_access_error(self.call, model, 'search', [])
        for user in (self.clerk, self.visitor):
            self.login(user)
            for model in OUR_MODELS:
                with self.subTest(f'{user.login} {model}'):
                    self.assert_access_error(self.call, model, 'search', [])

    def test_who_sees_of_another_company(self):
        """Whatever their rights, people of another company see nothing of this one."""
        their_manager = self._user(
            'qfpay_their_manager', 'point_of_sale.group_pos_manager', self.other_company
        )
        for user, models in (
            (self.stranger, FOR_CASHIERS),
            (their_manager, (*FOR_CASHIERS, *FOR_MANAGERS)),
        ):
            self.login(user)
            for model in OUR_MODELS:
                record = self.record_of(model)
                with self.subTest(f'{user.login} {model}'):
                    if model in models:
                        self.assertNotIn(record.id, self.call(model, 'search', []))
                    self.assert_access_error(self.call, model, 'read', record.ids, ['id'])

    def test_conversation_is_for_managers(self):
        """Support's file is given to the shop's managers, and to nobody else."""
        path = f'/pos_payment_qfpay/conversation/{self.row.id}'
        self.login(self.manager)
        answer = self.url_open(path)
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(answer.json()['transaction']['reference'], self.row.reference)
        self.assertIn('attachment', answer.headers['Content-Disposition'])
        for user in (self.cashier, self.stranger, self.clerk, self.visitor):
            self.login(user)
            with mute_logger('odoo.http'):
                answer = self.url_open(path)
            self.assertEqual(answer.status_code, 403, user.login)
            self.assertNotIn(self.row.reference, answer.text)

    def test_settings_that_the_addon_makes_itself(self):
        """Neither by a manager nor at the creation: not over RPC, by whatever method."""
        self.login(self.manager)
        for model, name, value in (
            ('qfpay.terminal', 'sealed', False),
            ('qfpay.terminal', 'link_id', self.terminal_2.link_id.id),
            ('qfpay.account', 'link_id', self.terminal.link_id.id),
            ('qfpay.account', 'notify_token', 'mine'),
        ):
            record = self.record_of(model)
            before = record[name]
            for method, args, kwargs in (
                ('write', [record.ids, {name: value}], {}),
                ('web_save', [record.ids, {name: value}], {'specification': {}}),
                ('create', [{'name': 'Forged', name: value or True}], {}),
                (
                    'create',
                    [{'name': 'Forged'}],
                    {'context': {f'default_{name}': value or True}},
                ),
            ):
                with self.subTest(f'{model}.{name} by {method}'):
                    self.assert_access_error(self.call, model, method, *args, **kwargs)
            self.env.invalidate_all()
            self.assertEqual(record[name], before)

    def test_terminal_of_a_till_is_a_managers_choice(self):
        """A cashier may write on a till in Odoo, but not which terminal it charges."""
        self.login(self.cashier)
        for method, kwargs in (('write', {}), ('web_save', {'specification': {}})):
            for value in (self.terminal_2.id, False):
                values = {'qfpay_terminal_id': value}
                self.assert_access_error(
                    self.call, 'pos.config', method, self.till.ids, values, **kwargs
                )
        self.env.invalidate_all()
        self.assertEqual(self.till.qfpay_terminal_id, self.terminal)
        self.login(self.manager)
        self.call('pos.config', 'write', self.till.ids, {'qfpay_terminal_id': False})
        self.env.invalidate_all()
        self.assertFalse(self.till.qfpay_terminal_id)

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
            ('_hear', [ids, {'fact': 'done', 'witness': 'inquiry'}]),
            ('_tell', [ids]),
            ('_write_raw', [ids, {'state': 'done'}]),
            ('_decide', [ids, 'done']),
            ('_claim_step', [ids, 'me', 'send']),
            ('_want_cancelled', [ids, 'cashier']),
        ):
            with self.subTest(method):
                self.assert_access_error(self.call, 'qfpay.transaction', method, *args)
        for model, method in (
            ('qfpay.terminal', '_key'),
            ('qfpay.account', '_credentials'),
            ('qfpay.testimony', '_insertion'),
            ('qfpay.link', '_hold'),
        ):
            with self.subTest(f'{model}.{method}'):
                self.assert_access_error(self.call, model, method, self.record_of(model).ids)
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

    def public_methods(self):
        """Each of them, as it is called.

        :return: pairs of what becomes of a cashier's call, and of what is called
        """
        for model, methods in PUBLIC_METHODS.items():
            record = self.record_of(model)
            arguments = {
                'create': [{'name': 'mine'}],
                'write': [record.ids, {record._rec_name or 'reason': 'mine'}],
            }
            for method, outcome in methods.items():
                yield outcome, (model, method, *arguments.get(method, [record.ids]))

    def test_public_methods_called_by_a_cashier(self):
        """A cashier can have QFPay asked again, and nothing else."""
        self.login(self.cashier)
        for outcome, called in self.public_methods():
            with self.subTest(called):
                if outcome == 'allowed':
                    self.call(*called)
                    self.assertEqual(self.woken, 1)
                    self.env.invalidate_all()
                    self.assertTrue(self.row.urgent)
                else:
                    self.assert_refused_over_rpc(*called)
        self.assert_untouched()

    def test_public_methods_called_by_a_stranger(self):
        """People of another company, or without rights at the till, get nothing from them."""
        for user in (self.stranger, self.clerk, self.visitor):
            self.login(user)
            for _outcome, called in self.public_methods():
                with self.subTest(f'{user.login} {called}'):
                    self.assert_refused_over_rpc(*called)
        self.env.invalidate_all()
        self.assertFalse(self.row.urgent)
        self.assert_untouched()

    def test_ledger_cannot_be_written_over_rpc(self):
        """Neither cashier nor manager writes the ledger, by whatever method of Odoo's."""
        for user in (self.cashier, self.manager):
            self.login(user)
            for model, values in (
                ('qfpay.transaction', {'state': 'done', 'reference': 'forged'}),
                ('qfpay.testimony', {'fact': 'done', 'transaction_id': self.row.id}),
                ('qfpay.link', {'owner': 'forged'}),
            ):
                ids = self.record_of(model).ids
                for method, args, kwargs in (
                    ('write', [ids, values], {}),
                    ('create', [values], {}),
                    ('unlink', [ids], {}),
                    ('copy', [ids], {}),
                    ('web_save', [ids, values], {'specification': {}}),
                ):
                    with self.subTest(f'{user.login} {model} {method}'):
                        self.assert_refused_over_rpc(model, method, *args, **kwargs)
            self.assert_access_error(self.call, 'qfpay.transaction', 'name_create', 'forged')
        self.assert_untouched()

    def assert_refused_over_rpc(self, *args, **kwargs):
        """For want of rights, or because nobody may change what was said."""
        with self.assertRaises(JsonRpcException) as refusal:
            self.call(*args, **kwargs)
        self.assertRegex(str(refusal.exception), 'AccessError|UserError')

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
        account = self.env['qfpay.account'].create({'name': 'Ours too'})
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
