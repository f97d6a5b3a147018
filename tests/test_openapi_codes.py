"""Every return code of QFPay's OpenAPI ends in its state, with a sentence for the cashier.

The expectations are written from the protocol (B15), not from the code's own table.
"""

import json

from odoo import Command
from odoo.addons.pos_payment_qfpay.cashier.status import look_up, status
from odoo.addons.pos_payment_qfpay.qfpay.fields import Fields
from odoo.addons.pos_payment_qfpay.qfpay.openapi.answer import read_payment, read_row
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import tagged

from .openapi_shop import CLIENT_KEY, OpenApiCase

# What a recorded transaction with this code is to the shop.
PAYMENT = {
    'done': '0000',
    'pending': '1143 1145 1161 1261 2999',
    'unknown': '1100 1101 1102 1111 1112 1131 1136 1146 1147 1170 1252 1254 1260 1268 1295 1296'
    ' 1297 1298 2009 2010 2011',
    'cancelled': '1142 1263 1264',
    'failed': '1103 1104 1105 1106 1107 1108 1109 1113 1114 1115 1116 1117 1118 1119 1120 1121'
    ' 1122 1123 1124 1126 1130 1144 1181 1201 1202 1203 1204 1205 1212 1241 1242 1243 1250 1251'
    ' 1262 1266 1267 1294 2003 2004 2005 2006 2007 2008 2012',
}
REFUND = {
    'done': '0000',
    'pending': '1143 1145 1161 2999',
    'unknown': '1100 1101 1102 1111 1112 1131 1146 1147 1170 1252 1254 1295 1296 1298 2009'
    ' 2010 2011',
    'failed': '1103 1104 1105 1106 1107 1108 1109 1124 1142 1150 1155 1181 1203 1241 1242 1243 1250'
    ' 1251 1263 1264 1265 1266 1267 1268 1269 1270 1271 1272 1294 1297 2003',
}


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestOpenApiCodes(OpenApiCase):
    def expectations(self, table):
        for state, codes in table.items():
            for code in codes.split():
                yield code, state

    def recorded(self, row, code, **fields):
        """What a query tells about a row."""
        record = {
            'respcd': code,
            'out_trade_no': row.reference,
            'syssn': '20261121000000000000000001',
            'txamt': str(row.amount_minor),
            'txcurrcd': 'HKD',
            'pay_type': row.channel,
            'order_type': row.kind,
            'errmsg': '',
            **fields,
        }
        return read_row(Fields(json.loads(json.dumps(record))), True)

    def assert_explained(self, row, code):
        english = status(row)['message']
        chinese = status(row.with_context(lang='zh_HK'))['message']
        if row.state == 'done':
            self.assertEqual(english, '')
            return
        self.assertTrue(english.endswith(('.', '…', ').')), f'{code}: {english}')
        self.assertNotEqual(english, chinese, f'{code} is not said in Chinese')
        if row.state == 'failed':
            self.assertRegex(english, r'(?i)no money|nothing|gave|refuses|find|too small|given')

    def test_account_in_use_cannot_be_deleted(self):
        with self.assertRaisesRegex(UserError, 'Archive it instead'):
            self.account.unlink()

    def assert_every_code(self, row, table):
        """Asked after a lost answer, each code brings about its state."""
        self.env['res.lang']._activate_lang('zh_HK')
        self.lose_answer(row)
        for code, state in self.expectations(table):
            with self.subTest(code), self.rewound():
                self.learn(row, self.recorded(row, code), 'inquiry')
                self.assertEqual(row.state, state)
                self.assert_explained(row, code)

    def test_every_code_of_a_payment(self):
        self.assert_every_code(self.sent(method=self.shown), PAYMENT)

    def test_every_code_of_a_refund(self):
        self.assert_every_code(self.sent_refund(self.paid(method=self.shown)), REFUND)

    def test_a_code_in_no_table_is_unknown(self):
        row = self.sent(method=self.shown)
        self.learn(row, self.recorded(row, '7777'), 'answer')
        self.assertEqual(row.state, 'unknown')

    def test_an_order_that_is_made_is_not_paid(self):
        row = self.sent(method=self.shown)
        request = row.account_id._payment_request(row)
        answer = {
            'respcd': '0000',
            'out_trade_no': row.reference,
            'syssn': '20261121000000000000000001',
            'txamt': str(row.amount_minor),
            'txcurrcd': 'HKD',
            'paydtm': '2026-11-21 12:00:00',
            'qrcode': 'https://qr.example/abc',
        }
        self.learn(row, read_payment(Fields(answer), request, True), 'answer')
        self.assertEqual(row.state, 'pending')
        told = status(row)
        self.assertEqual(told['qrcode'], 'https://qr.example/abc')
        self.assertTrue(told['expires_at'].endswith('Z'))
        self.assertAlmostEqual(told['expires_in'], 300, delta=10)
        self.age(row, 301)
        self.assertEqual(status(row)['expires_in'], 0)

    def test_a_reversed_payment_is_not_paid(self):
        row = self.sent(method=self.scanned, auth_code='281234567890123456')
        self.learn(row, self.recorded(row, '0000', cancel='1', pay_type='800108'), 'inquiry')
        self.assertEqual(row.state, 'cancelled')

    def test_a_payment_that_the_cashier_called_off_says_so(self):
        for asked, words in ((True, 'Cancelled.'), (False, 'closed before')):
            row = self.sent(method=self.shown)
            if asked:
                self.cancel_line(row)
            self.learn(row, self.recorded(row, '1264'), 'inquiry')
            self.assertEqual(row.state, 'cancelled')
            self.assertIn(words, status(row)['message'])

    def assert_contradicts(self, **fields):
        row = self.sent(method=self.shown)
        self.learn(row, self.recorded(row, '0000', **fields), 'inquiry')
        self.assertEqual(row.state, 'sent')
        self.assertEqual(self.alarms(row), ['contradiction'])

    def test_another_amount_moves_nothing(self):
        self.assert_contradicts(txamt='1')

    def test_another_merchant_moves_nothing(self):
        self.account.mchid = 'OURS'
        self.assert_contradicts(mchid='THEIRS')

    def test_a_row_without_an_amount_or_a_currency_moves_nothing(self):
        for name in ('txamt', 'txcurrcd'):
            row = self.sent(method=self.shown)
            for said in ('', 'abc'):
                self.learn(row, self.recorded(row, '0000', **{name: said}), 'inquiry')
                self.assertEqual(row.state, 'sent')

    def test_a_used_code_asks_for_a_new_one(self):
        row = self.sent(method=self.scanned, auth_code='281234567890123456')
        self.learn(row, self.recorded(row, '2005'), 'answer')
        self.assertTrue(status(row)['can_retry_code'])
        again = self.begin(row.pos_payment_id, '281234567890123457')
        self.assertNotEqual(again.reference, row.reference)

    def test_the_customers_code_is_forgotten_when_it_is_sent(self):
        row = self.begin(self.payment(10, self.scanned), '28123456789012345 6')
        self.assertEqual(row.sudo().auth_code, '281234567890123456')
        self.send_out(row)
        self.assertFalse(row.sudo().auth_code)

    def test_the_customers_code_is_forgotten_when_it_is_not_sent(self):
        row = self.begin(self.payment(10, self.scanned), '281234567890123456')
        self.cancel_line(row)
        self.assertEqual(row.state, 'cancelled')
        self.assertFalse(row.sudo().auth_code)

    def test_credentials_stay_while_a_payment_is_under_way(self):
        """To another merchant QFPay would deny the payment, and it would be taken for failed."""
        row = self.sent(method=self.shown)
        for values in (
            {'mchid': 'OTHER'},
            {'app_code': 'APPCODE2'},
            {'environment': 'production'},
            {'custom_url': 'http://127.0.0.1:2'},
        ):
            with self.assertRaisesRegex(UserError, 'under way'):
                self.account.write(values)
        self.account.write({'client_key': CLIENT_KEY, 'name': 'Harbour'})
        self.close(row)
        self.account.mchid = 'OTHER'

    def test_no_address_by_a_default(self):
        """A manager who is no administrator sets no address, whichever way it comes."""
        accounts = self.env['qfpay.account'].with_user(self.manager)
        values = {'name': 'Mine', 'environment': 'custom'}
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            accounts.create({**values, 'custom_url': 'http://127.0.0.1:2'})
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            accounts.with_context(default_custom_url='http://127.0.0.1:2').create(values)

    def test_how_long_a_code_lives(self):
        for minutes in (5, 120):
            self.account.expiry_minutes = minutes
        for minutes in (0, 4, 121):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                self.account.expiry_minutes = minutes

    def test_what_is_no_wallets_code_is_refused_at_once(self):
        for code in ('', '4891234567890', 'https://example.com', "28'; DROP TABLE", '9' * 400):
            with self.subTest(code):
                message = self.assert_refused('code', self.payment(10, self.scanned), code)
                self.assertIn('scan it again', message)

    def test_a_code_that_ran_out_can_be_renewed(self):
        row = self.sent(method=self.shown)
        self.learn(row, self.recorded(row, '1181'), 'inquiry')
        self.assertEqual(row.state, 'failed')
        self.assertTrue(status(row)['can_renew'])

    def test_a_wallet_that_takes_hong_kong_dollars_only(self):
        """A till in another currency is refused, where it is set up and where it starts."""
        journal = self._journal('Dollars', 'sale', currency_id=self.usd.id)
        values = {'name': 'Dollar till', 'journal_id': journal.id}
        tills = self.env['pos.config']
        for method, accepted in ((self.fps_code, False), (self.shown, True)):
            with self.subTest(method.name), self.rewound():
                if accepted:
                    self.assertTrue(
                        tills.create({**values, 'payment_method_ids': [Command.set(method.ids)]})
                    )
                    continue
                with self.assertRaisesRegex(ValidationError, 'HKD'), self.env.cr.savepoint():
                    tills.create({**values, 'payment_method_ids': [Command.set(method.ids)]})
        payment = self.payment(10, self.fps_code)
        self.till.journal_id.currency_id = self.usd
        self.assertIn('HKD', self.assert_refused('amount', payment))

    def test_the_client_key_can_change_while_a_payment_is_under_way(self):
        """A key that was made anew serves the next question."""
        row = self.sent(method=self.shown)
        self.lose_answer(row)
        self.age(row, 3)
        key = self.account._credentials().client_key
        self.account.client_key = 'F' * 32
        request = self.claim_of_account(row)
        self.assertNotEqual(request.client_key, key)

    def claim_of_account(self, row):
        """The credentials with which the next question about a row is asked."""
        look_up(self.env_of(self.cashier), row.payment_uuid, inquire=True)
        return self.claim(row).request.account

    def test_an_app_code_that_cannot_be_right(self):
        for name, value in (('app_code', 'a&b=c'), ('client_key', 'ä'), ('mchid', 'x' * 17)):
            with (
                self.subTest(name),
                self.assertRaises(ValidationError) as refusal,
                self.env.cr.savepoint(),
            ):
                self.account[name] = value
            self.assertNotIn(value, str(refusal.exception))
