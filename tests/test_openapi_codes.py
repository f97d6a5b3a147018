"""Every return code of QFPay's OpenAPI ends in its state, with a sentence for the cashier.

The expectations are written from the protocol (B15), not from the code's own table.
"""

import json
from datetime import timedelta

from odoo import fields
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
    'unknown': '1100 1101 1102 1111 1112 1131 1146 1147 1170 1252 1254 1295 1296 1297 1298 2009'
    ' 2010 2011',
    'failed': '1103 1104 1105 1106 1107 1108 1109 1142 1150 1155 1181 1203 1241 1242 1243 1250 1251'
    ' 1263 1264 1265 1266 1267 1268 1269 1270 1271 1272 1294 2003',
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
        english = row._status()['message']
        chinese = row.with_context(lang='zh_HK')._status()['message']
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

    def test_every_code_of_a_payment(self):
        self.env['res.lang']._activate_lang('zh_HK')
        for code, state in self.expectations(PAYMENT):
            with self.subTest(code):
                row = self.sent(self.shown)
                row._learn(self.recorded(row, code), 'inquiry')
                self.assertEqual(row.state, state)
                self.assert_explained(row, code)
                row.state = 'failed'

    def test_every_code_of_a_refund(self):
        self.env['res.lang']._activate_lang('zh_HK')
        for code, state in self.expectations(REFUND):
            with self.subTest(code):
                row = self.sent_refund(self.paid_by_code(self.shown))
                row._learn(self.recorded(row, code), 'inquiry')
                self.assertEqual(row.state, state)
                self.assert_explained(row, code)
                row.state = 'failed'

    def test_a_code_in_no_table_is_unknown(self):
        row = self.sent(self.shown)
        row._learn(self.recorded(row, '7777'), 'inquiry')
        self.assertEqual(row.state, 'unknown')

    def test_an_order_that_is_made_is_not_paid(self):
        row = self.sent(self.shown)
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
        row._learn(read_payment(Fields(answer), request, True), 'answer')
        self.assertEqual(row.state, 'pending')
        status = row._status()
        self.assertEqual(status['qrcode'], 'https://qr.example/abc')
        self.assertTrue(status['expires_at'].endswith('Z'))
        self.assertAlmostEqual(status['expires_in'], 300, delta=60)
        row.expires_at = fields.Datetime.now() - timedelta(minutes=1)
        self.assertEqual(row._status()['expires_in'], 0)

    def test_a_reversed_payment_is_not_paid(self):
        row = self.sent(self.scanned, auth_code='281234567890123456')
        row._learn(self.recorded(row, '0000', cancel='1', pay_type='800108'), 'inquiry')
        self.assertEqual(row.state, 'cancelled')

    def test_a_payment_that_the_cashier_called_off_says_so(self):
        for asked, words in ((True, 'Called off'), (False, 'closed before')):
            row = self.sent(self.shown)
            if asked:
                row._ask_call_off()
            row._learn(self.recorded(row, '1264'), 'inquiry')
            self.assertEqual(row.state, 'cancelled')
            self.assertIn(words, row._status()['message'])

    def test_another_amount_moves_nothing(self):
        row = self.sent(self.shown)
        row._learn(self.recorded(row, '0000', txamt='1'), 'inquiry')
        self.assertEqual(row.state, 'unknown')
        self.assertTrue(row.attention)

    def test_another_merchant_moves_nothing(self):
        self.account.mchid = 'OURS'
        row = self.sent(self.shown)
        row._learn(self.recorded(row, '0000', mchid='THEIRS'), 'inquiry')
        self.assertEqual(row.state, 'unknown')
        self.assertTrue(row.attention)

    def test_a_used_code_asks_for_a_new_one(self):
        row = self.sent(self.scanned, auth_code='281234567890123456')
        row._learn(self.recorded(row, '2005'), 'answer')
        self.assertTrue(row._status()['can_retry_code'])
        again = self.begin_with(row.pos_payment_id, '281234567890123457')
        self.assertNotEqual(again.reference, row.reference)

    def test_the_customers_code_is_forgotten_when_it_is_sent(self):
        row = self.begin_with(self.payment(10, self.scanned), '28123456789012345 6')
        self.assertEqual(row.sudo().auth_code, '281234567890123456')
        row._claim()
        self.assertFalse(row.sudo().auth_code)

    def test_the_customers_code_is_forgotten_when_it_is_not_sent(self):
        row = self.begin_with(self.payment(10, self.scanned), '281234567890123456')
        row._ask_call_off()
        self.assertEqual(row.state, 'cancelled')
        self.assertFalse(row.sudo().auth_code)

    def test_credentials_stay_while_a_payment_is_under_way(self):
        """To another merchant QFPay would deny the payment, and it would be taken for failed."""
        row = self.sent(self.shown)
        for values in (
            {'mchid': 'OTHER'},
            {'app_code': 'APPCODE2'},
            {'environment': 'production'},
            {'custom_url': 'http://127.0.0.1:2'},
        ):
            with self.assertRaisesRegex(UserError, 'under way'):
                self.account.write(values)
        self.account.write({'client_key': CLIENT_KEY, 'name': 'Harbour'})
        row._move('failed', 'manager', {})
        self.account.mchid = 'OTHER'

    def test_an_archived_account_takes_nothing_and_gives_back(self):
        paid = self.paid_by_code(self.shown)
        self.account.active = False
        self.assertIn('not in use', self.assert_refused('config', self.payment(10, self.shown)))
        self.assertEqual(self.sent_refund(paid).state, 'sent')

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

    def test_a_round_that_ended_is_nobodys(self):
        """Another process may begin the next one at once."""
        row = self.sent(self.shown)
        self.assertTrue(self.account._claim_round('one'))
        self.assertIsNone(self.account._claim_round('two'))
        row._move('failed', 'manager', {})
        self.assertIsNone(self.account._claim_round('one'))
        self.sent(self.shown)
        self.assertTrue(self.account._claim_round('two'))

    def test_what_is_no_wallets_code_is_refused_at_once(self):
        for code in ('', '4891234567890', 'https://example.com', "28'; DROP TABLE", '9' * 400):
            with self.subTest(code):
                message = self.assert_refused('code', self.payment(10, self.scanned), code)
                self.assertIn('scan it again', message)

    def test_a_code_that_ran_out_can_be_renewed(self):
        row = self.sent(self.shown)
        row._learn(self.recorded(row, '1181'), 'inquiry')
        self.assertEqual(row.state, 'failed')
        self.assertTrue(row._status()['can_renew'])

    def test_called_off_by_its_number_late_and_without_the_customers_code(self):
        for row in (self.sent(self.shown), self.sent(self.scanned, auth_code='281234567890123456')):
            row._learn(self.recorded(row, '1143', pay_type=row.channel), 'inquiry')
            row.deadline = fields.Datetime.now() - timedelta(minutes=1)
            errand = row._errand_to_call_off()
            self.assertTrue(errand.call_off)
            self.assertFalse(errand.send)

    def test_partial_refunds_until_nothing_is_left(self):
        paid = self.paid_by_code(self.shown, 100)
        for amount in (30, 30):
            refund = self.sent_refund(paid, amount)
            self.assertEqual(refund.provider, 'openapi')
            refund._learn(self.recorded(refund, '0000'), 'answer')
            self.assertEqual(refund.state, 'done')
            self.assertEqual(refund._status()['refundable'], paid._status()['refundable'])
        self.assertEqual(paid._status()['refundable'], 40)
        message = self.assert_refused('refund', self.refund_line(paid, 41))
        self.assertIn('40', message)
        last = self.sent_refund(paid, 40)
        last._learn(self.recorded(last, '0000'), 'answer')
        self.assertEqual(paid._refundable_minor(), 0)

    def test_fps_gives_nothing_back(self):
        paid = self.paid_by_code(self.fps_code)
        self.assertEqual(paid._status()['refundable'], 0)
        self.assert_refused('refund', self.refund_line(paid))
