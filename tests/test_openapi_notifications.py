"""QFPay's door: what QFPay signed is taken in once, whatever it is; nothing else is."""

import hashlib
import json

from odoo.addons.pos_payment_qfpay.controllers import notification
from odoo.addons.pos_payment_qfpay.controllers.notification import AT_ONCE
from odoo.addons.pos_payment_qfpay.qfpay.openapi.notification import SIZE_LIMIT
from odoo.tests import HttpCase, tagged

from .common import Shop
from .openapi_shop import CLIENT_KEY, OpenApiShop


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestOpenApiNotifications(OpenApiShop, Shop, HttpCase):
    def setUp(self):
        super().setUp()
        self.keep_couriers_home()
        self.row = self.sent(10.1, self.shown)

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
        for row in self.env['qfpay.transaction'].browse(self.told):
            row._tell()

    def assert_turned_away(self, answer, status=400):
        self.assertEqual(answer.status_code, status)
        self.assert_unmoved()
        self.assertFalse(self.row.needs_attention)

    def assert_unmoved(self):
        self.env.invalidate_all()
        self.assertEqual(self.row.state, 'sent')
        self.assertNotEqual(self.row.pos_payment_id.payment_status, 'done')

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
        names = self.row._fields.keys() - {'testimony_ids'}
        before = self.row.read(names)
        for _repeat in range(3):
            self.assert_taken(self.send(self.report()))
        self.assertEqual(self.row.read(names), before)
        self.assertEqual(self.told, self.row.ids, 'nobody is told twice')

    def test_forged(self):
        body = self.report()
        self.assert_turned_away(self.send(body, '0' * 32))
        self.assert_turned_away(self.send(body, 'ä'.encode().decode('latin-1')))
        self.assert_turned_away(self.send(body, 'x' * 5000))
        wrong_key = hashlib.md5(body + b'another key').hexdigest().upper()
        self.assert_turned_away(self.send(body, wrong_key))
        # Written anew from its fields, it is not what was signed.
        signature = hashlib.md5(body + CLIENT_KEY.encode()).hexdigest().upper()
        again = json.dumps(json.loads(body), separators=(',', ':'), ensure_ascii=False).encode()
        self.assert_turned_away(self.send(again, signature))

    def test_unsigned(self):
        answer = self.url_open(
            f'/pos_payment_qfpay/notify/{self.account.notify_token}', data=self.report()
        )
        self.assert_turned_away(answer)

    def test_signed_nonsense_is_a_bad_request(self):
        for body in (b' ', b'[]', b'"x"', b'{', b'\xff\xfe', b'{"a": 1}', b'[' * 9000, b'null'):
            with self.subTest(body[:10]):
                self.assert_turned_away(self.send(body))

    def test_an_address_of_nobody(self):
        for token in ('nobody', '%00', 'a%00b', '%F0%9F%92%B0', 'x' * 100, "'--", '%'):
            with self.subTest(token):
                self.assert_turned_away(self.send(self.report(), token=token), 404)

    def test_too_large(self):
        answer = self.send(self.report(goods_name='x' * 70_000))
        self.assertIn(answer.status_code, (400, 413))
        self.assert_turned_away(answer, answer.status_code)

    def send_in_pieces(self, body):
        """Without saying before how long it is."""
        pieces = (body[start : start + 1000] for start in range(0, len(body), 1000))
        signature = hashlib.md5(body + CLIENT_KEY.encode()).hexdigest().upper()
        return self.url_open(
            f'/pos_payment_qfpay/notify/{self.account.notify_token}',
            data=pieces,
            headers={'Content-Type': 'application/json', 'X-QF-SIGN': signature},
        )

    def test_too_large_in_pieces(self):
        """No more of it is read than may be, whatever is signed."""
        read, lengths = notification._body, []

        def count(httprequest):
            body = read(httprequest)
            lengths.append(len(body))
            return body

        self.patch(notification, '_body', count)
        answer = self.send_in_pieces(self.report(goods_name='x' * 4 * SIZE_LIMIT))
        self.assertIn(answer.status_code, (400, 413))
        self.assert_turned_away(answer, answer.status_code)
        self.assertLessEqual(max(lengths, default=0), SIZE_LIMIT + 1)

    def test_in_pieces(self):
        self.assert_taken(self.send_in_pieces(self.report()))
        self.assertEqual(self.row.state, 'done')

    def test_too_many_at_once(self):
        """A flood leaves workers and connections to the cashiers; QFPay comes again."""
        self.patch(notification, 'PATIENCE', 0.1)
        turns = [notification._turns.acquire(blocking=False) for _turn in range(AT_ONCE)]
        try:
            self.assertTrue(all(turns))
            self.assert_turned_away(self.send(self.report()), 503)
        finally:
            for _turn in turns:
                notification._turns.release()
        self.assert_taken(self.send(self.report()))
        self.assertEqual(self.row.state, 'done')

    def test_another_amount_needs_attention_and_moves_nothing(self):
        self.assert_contradicts(txamt='1')

    def test_another_currency_needs_attention_and_moves_nothing(self):
        self.assert_contradicts(txcurrcd='CNY')

    def assert_contradicts(self, **fields):
        self.assert_taken(self.send(self.report(**fields)))
        self.assert_unmoved()
        self.assertEqual(self.alarms(self.row), ['contradiction'])

    def test_without_a_readable_amount_or_currency_nothing_moves(self):
        """Signed, and it does not say how much of what: QFPay has to be asked."""
        for name in ('txamt', 'txcurrcd'):
            for said in ('', 'ten', '10.1' if name == 'txamt' else None):
                with self.subTest(f'{name}={said}'):
                    self.assert_taken(self.send(self.report(**{name: said})))
                    self.assert_unmoved()

    def test_a_sale_of_another_system_is_taken_and_forgotten(self):
        self.assert_taken(self.send(self.report(out_trade_no='WEBSHOP-1')))
        self.assertEqual(self.row.state, 'sent')

    def test_a_refund_never_pays(self):
        for kind in ('refund', 'cancel', 'close', 'reversal', 'something new'):
            with self.subTest(kind):
                self.assert_taken(self.send(self.report(notify_type=kind)))
                self.assert_unmoved()
                self.assertFalse(self.row.needs_attention, 'it is about another transaction')

    def test_a_refund_of_ours_is_done_under_both_names(self):
        for number, kind in enumerate(('refund', 'cancel')):
            with self.subTest(kind):
                paid = self.paid(method=self.shown)
                refund = self.sent_refund(paid)
                body = self.report(
                    notify_type=kind,
                    out_trade_no=refund.reference,
                    orig_syssn=paid.syssn,
                    orig_out_trade_no=paid.reference,
                    syssn=f'2026011515410002001234567{number}',
                )
                self.assert_taken(self.send(body))
                self.assertEqual(refund.state, 'done')

    def send_for(self, account, body, key):
        signature = hashlib.md5(body + key.encode()).hexdigest().upper()
        return self.send(body, signature, account.notify_token)

    def other_account(self, company):
        return self.env['qfpay.account'].create(
            {
                'name': 'Other',
                'app_code': 'OTHER',
                'client_key': 'F' * 32,
                'company_id': company.id,
            }
        )

    def test_another_account_cannot_speak_for_ours(self):
        """Neither one of another company, nor another one of the same."""
        for company in (self.other_company, self.company):
            other = self.other_account(company)
            self.assert_taken(self.send_for(other, self.report(), 'F' * 32))
            self.assert_unmoved()
            self.assertFalse(self.row.testimony_ids.filtered(lambda it: it.outcome))

    def test_another_company_cannot_speak_for_our_terminals(self):
        """A terminal's payment has no account: any of the company's own may report it."""
        row = self.sent(10.1)
        body = self.report(out_trade_no=row.reference, pay_type='802808')
        other = self.other_account(self.other_company)
        self.assert_taken(self.send_for(other, body, 'F' * 32))
        self.assertEqual(row.state, 'sent')
        own = self.other_account(self.company)
        self.assert_taken(self.send_for(own, body, 'F' * 32))
        self.assertEqual(row.state, 'done')

    def test_the_key_of_one_account_at_the_address_of_another(self):
        other = self.other_account(self.company)
        body = self.report()
        signature = hashlib.md5(body + b'F' * 32).hexdigest().upper()
        self.assert_turned_away(self.send(body, signature, self.account.notify_token))
        signature = hashlib.md5(body + CLIENT_KEY.encode()).hexdigest().upper()
        self.assert_turned_away(self.send(body, signature, other.notify_token))

    def test_an_archived_account_is_reported_to(self):
        """What it took before is known all the same."""
        self.account.active = False
        self.assert_taken(self.send(self.report()))
        self.assertEqual(self.row.state, 'done')

    def test_an_account_without_a_key_believes_nobody(self):
        self.account.client_key = False
        body = self.report()
        self.assert_turned_away(self.send(body, hashlib.md5(body).hexdigest().upper()))

    def test_late_after_it_was_given_up(self):
        self.close(self.row)
        self.assert_taken(self.send(self.report()))
        self.assertEqual(self.row.state, 'done')
        self.assertEqual(self.alarms(self.row), ['done_after_all'])

    def test_a_payment_on_a_terminal_is_reported_too(self):
        row = self.sent(10.1)
        body = self.report(out_trade_no=row.reference, pay_type='802808')
        self.assert_taken(self.send(body))
        self.assertEqual(row.state, 'done')

    def test_the_door_leaves_no_session_behind(self):
        self.opener.cookies.clear()
        self.assertNotIn('session_id', self.send(self.report()).cookies)
