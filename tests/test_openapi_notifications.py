"""QFPay's door: what QFPay signed is taken in once, whatever it is; nothing else is."""

import hashlib
import json

from odoo.addons.pos_payment_qfpay import courier
from odoo.tests import HttpCase, tagged

from .common import Shop
from .openapi_shop import CLIENT_KEY, OpenApiShop


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestOpenApiNotifications(OpenApiShop, Shop, HttpCase):
    def setUp(self):
        super().setUp()
        for errand in ('carry', 'call_off', 'go_round'):
            self.patch(courier, errand, lambda *_args: None)
        self.row = self.sent(self.shown, 10.1)

    def report(self, **fields):
        """A notification as QFPay's host writes it (the protocol, B10)."""
        return json.dumps(
            {
                'status': '1',
                'pay_type': '800201',
                'sysdtm': '2026-01-15 14:03:23',
                'paydtm': '2026-01-15 14:03:40',
                'goods_name': '咖啡',
                'txcurrcd': 'HKD',
                'txdtm': '2026-01-15 14:03:22',
                'txamt': '1010',
                'out_trade_no': self.row.reference,
                'syssn': '20260115154100020012345678',
                'cancel': '0',
                'respcd': '0000',
                'notify_type': 'payment',
                'chnlsn': '4200000000000000001',
                **fields,
            }
        ).encode()

    def send(self, body, signature=None, token=None):
        if signature is None:
            signature = hashlib.md5(body + CLIENT_KEY.encode()).hexdigest().upper()
        return self.url_open(
            f'/pos_payment_qfpay/notify/{token or self.account.notify_token}',
            data=body,
            headers={'Content-Type': 'application/json', 'X-QF-SIGN': signature},
        )

    def assert_taken(self, answer):
        self.assertEqual((answer.status_code, answer.text), (200, 'SUCCESS'))
        self.env.invalidate_all()

    def assert_refused(self, answer, status=400):
        self.assertEqual(answer.status_code, status)
        self.env.invalidate_all()
        self.assertEqual(self.row.state, 'sent')
        self.assertFalse(self.row.attention)

    def test_a_payment_is_done(self):
        self.assert_taken(self.send(self.report()))
        self.assertEqual((self.row.state, self.row.state_source), ('done', 'notification'))
        self.assertEqual(self.row.syssn, '20260115154100020012345678')
        payment = self.row.pos_payment_id
        self.assertEqual(payment.payment_status, 'done')
        self.assertEqual(payment.qfpay_confirmation, 'confirmed')
        self.assertEqual(payment.payment_ref_no, '4200000000000000001')

    def test_the_same_again_changes_nothing(self):
        self.assert_taken(self.send(self.report()))
        before = self.row.read()
        for _repeat in range(3):
            self.assert_taken(self.send(self.report()))
        self.assertEqual(self.row.read(), before)

    def test_forged(self):
        body = self.report()
        self.assert_refused(self.send(body, '0' * 32))
        self.assert_refused(self.send(body, 'ä'.encode().decode('latin-1')))
        self.assert_refused(self.send(body, 'x' * 5000))
        wrong_key = hashlib.md5(body + b'another key').hexdigest().upper()
        self.assert_refused(self.send(body, wrong_key))
        # Written anew from its fields, it is not what was signed.
        signature = hashlib.md5(body + CLIENT_KEY.encode()).hexdigest().upper()
        again = json.dumps(json.loads(body), separators=(',', ':'), ensure_ascii=False).encode()
        self.assert_refused(self.send(again, signature))

    def test_unsigned(self):
        answer = self.url_open(
            f'/pos_payment_qfpay/notify/{self.account.notify_token}', data=self.report()
        )
        self.assert_refused(answer)

    def test_signed_nonsense_is_a_bad_request(self):
        for body in (b' ', b'[]', b'"x"', b'{', b'\xff\xfe', b'{"a": 1}', b'[' * 9000, b'null'):
            with self.subTest(body[:10]):
                self.assert_refused(self.send(body))

    def test_an_address_of_nobody(self):
        self.assert_refused(self.send(self.report(), token='nobody'), 404)

    def test_too_large(self):
        answer = self.send(self.report(goods_name='x' * 70_000))
        self.assertIn(answer.status_code, (400, 413))
        self.assert_refused(answer, answer.status_code)

    def test_another_amount_needs_attention_and_moves_nothing(self):
        self.assert_taken(self.send(self.report(txamt='1')))
        self.assertNotEqual(self.row.state, 'done')
        self.assertTrue(self.row.attention)
        self.assertNotEqual(self.row.pos_payment_id.payment_status, 'done')

    def test_another_currency_needs_attention_and_moves_nothing(self):
        self.assert_taken(self.send(self.report(txcurrcd='CNY')))
        self.assertNotEqual(self.row.state, 'done')
        self.assertTrue(self.row.attention)

    def test_a_sale_of_another_system_is_taken_and_forgotten(self):
        self.assert_taken(self.send(self.report(out_trade_no='WEBSHOP-1')))
        self.assertEqual(self.row.state, 'sent')

    def test_a_refund_never_pays(self):
        for kind in ('refund', 'cancel', 'close', 'reversal', 'something new'):
            with self.subTest(kind):
                self.assert_taken(self.send(self.report(notify_type=kind)))
                self.assertNotEqual(self.row.state, 'done')

    def test_a_refund_of_ours_is_done_under_both_names(self):
        for kind in ('refund', 'cancel'):
            with self.subTest(kind):
                paid = self.paid_by_code(self.shown)
                refund = self.sent_refund(paid)
                body = self.report(
                    notify_type=kind,
                    out_trade_no=refund.reference,
                    orig_syssn=paid.syssn,
                    orig_out_trade_no=paid.reference,
                )
                self.assert_taken(self.send(body))
                self.assertEqual(refund.state, 'done')

    def test_another_account_cannot_speak_for_ours(self):
        other = self.env['qfpay.account'].create(
            {
                'name': 'Other',
                'app_code': 'OTHER',
                'client_key': 'F' * 32,
                'company_id': self.other_company.id,
            }
        )
        body = self.report()
        signature = hashlib.md5(body + b'F' * 32).hexdigest().upper()
        self.assert_taken(self.send(body, signature, other.notify_token))
        self.assertEqual(self.row.state, 'sent')

    def test_late_after_it_was_given_up(self):
        self.row._move('failed', 'inquiry', {})
        self.assert_taken(self.send(self.report()))
        self.assertEqual(self.row.state, 'done')
        self.assertTrue(self.row.attention)

    def test_a_payment_on_a_terminal_is_reported_too(self):
        row = self.begin(self.payment(10.1))
        row._claim()
        body = self.report(out_trade_no=row.reference, pay_type='802808')
        self.assert_taken(self.send(body))
        self.assertEqual(row.state, 'done')

    def test_the_door_leaves_no_session_behind(self):
        self.opener.cookies.clear()
        self.assertNotIn('session_id', self.send(self.report()).cookies)
