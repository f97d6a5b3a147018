import contextlib
import hashlib
import json
import socket
import time
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from itertools import combinations
from unittest import TestCase
from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st

from pos_payment_qfpay.qfpay.errors import (
    AnswerLost,
    InvalidRequest,
    NoSuchCall,
    NotSent,
    QFPayError,
    RateLimited,
)
from pos_payment_qfpay.qfpay.http import Reply
from pos_payment_qfpay.qfpay.openapi.account import Account
from pos_payment_qfpay.qfpay.openapi.catalogue import CLOSE, RETURN_CODES, REVERSAL
from pos_payment_qfpay.qfpay.openapi.gateway import (
    INQUIRY_TRIES,
    QUERY,
    Gateway,
    SystemClock,
)
from pos_payment_qfpay.qfpay.openapi.message import (
    Cancel,
    CpmPayment,
    MpmPayment,
    Refund,
)
from pos_payment_qfpay.qfpay.openapi.signature import ClientKey, SignType
from pos_payment_qfpay.qfpay.outcome import Verdict
from pos_payment_qfpay.tests_pure.qfpay.bad_server import serving
from pos_payment_qfpay.tests_pure.qfpay.openapi.gateway_server import (
    APP_CODE,
    CLIENT_KEY,
    Said,
    certificate_for_this_machine,
    gateway_that,
)

ANY = settings(max_examples=100, deadline=None, database=None, derandomize=True)
NOON = datetime(2026, 1, 15, 6, 3, 22, tzinfo=timezone.utc)
MERCHANT = 'TESTMCHID1'
SYSSN = '20260115154100020012345678'
REFUND_SYSSN = '20260115154100020012345679'
REFERENCE = 'POS-1-0001'

MPM = MpmPayment(
    reference=REFERENCE,
    amount_minor=1010,
    currency='HKD',
    pay_type='800201',
    requested_at=NOON,
    till='REG-01',
)
CPM = CpmPayment(
    reference=REFERENCE,
    amount_minor=1010,
    currency='HKD',
    pay_type='800008',
    requested_at=NOON,
    auth_code='134857901234588557',
)
REFUND = Refund(
    syssn=SYSSN, reference='POS-1-0001-R1', amount_minor=505, requested_at=NOON, till='REG-01'
)
ORDER = Cancel(
    path=CLOSE,
    pay_type='800201',
    amount_minor=1010,
    requested_at=NOON,
    reference=REFERENCE,
    syssn=SYSSN,
)

PAID = {
    'respcd': '0000',
    'resperr': '交易成功',
    'respmsg': '',
    'pay_type': '800208',
    'out_trade_no': REFERENCE,
    'syssn': SYSSN,
    'txamt': '1010',
    'txcurrcd': 'HKD',
    'txdtm': '2026-01-15 14:03:22',
    'sysdtm': '2026-01-15 14:03:23',
    'paydtm': '2026-01-15 14:03:24',
    'chnlsn': '4200000000000000001',
    'cardcd': 'wallet-user-0815',
    'mchid': MERCHANT,
}
SHOWN = {**PAID, 'pay_type': '800201', 'qrcode': 'weixin://wxpay/bizpayurl?pr=qnhsThh'}
ROW = {
    'syssn': SYSSN,
    'out_trade_no': REFERENCE,
    'pay_type': '800201',
    'order_type': 'payment',
    'txamt': '1010',
    'txcurrcd': 'HKD',
    'txdtm': '2026-01-15 14:03:22',
    'sysdtm': '2026-01-15 14:03:23',
    'paydtm': '2026-01-15 14:03:40',
    'cancel': '0',
    'respcd': '0000',
    'errmsg': '',
    'chnlsn': '4200000000000000001',
}


def rows(*found, **more):
    return {
        'respcd': '0000',
        'resperr': '请求成功',
        'respmsg': '',
        'page': '1',
        'page_size': '100',
        'data': list(found),
        **more,
    }


class StillClock:
    """A clock that stands still until somebody sleeps."""

    def __init__(self, now=NOON):
        self.moment = now
        self.slept = []

    def now(self):
        return self.moment

    def monotonic(self):
        return sum(self.slept)

    def sleep(self, seconds):
        self.slept.append(seconds)


class TestOpenapiGateway(TestCase):
    def account(self, url, **changes):
        return Account(
            **{
                'base_url': url,
                'app_code': APP_CODE,
                'client_key': ClientKey(CLIENT_KEY),
                'merchant_id': MERCHANT,
                **changes,
            }
        )

    @contextlib.contextmanager
    def gateway(self, behaviour, clock=None, hooks=None, **changes):
        """Our client, and the server that it talks to, which says always the same or decides."""
        says = behaviour if callable(behaviour) else lambda _request: behaviour
        with gateway_that(says) as fake:
            account = self.account(fake.url, **changes)
            yield Gateway(account, clock=clock or StillClock(), **(hooks or {})), fake

    def ask(self, call, behaviour, **options):
        """One call, sent exactly once and signed; its outcome."""
        with self.gateway(behaviour, **options) as (gateway, fake):
            outcome = call(gateway)
        self.assertEqual(len(fake.requests), 1)
        self.assertTrue(fake.requests[0].is_signed())
        return outcome

    def pay(self, behaviour, payment=MPM, **options):
        return self.ask(lambda gateway: gateway.pay(payment), behaviour, **options)

    def refund(self, behaviour, **options):
        return self.ask(lambda gateway: gateway.refund(REFUND), behaviour, **options)

    def assertLostOnce(self, call, behaviour, reason='unreadable', **options):
        """The answer is lost, and nothing is sent a second time."""
        with (
            self.gateway(behaviour, **options) as (gateway, fake),
            self.assertRaises(AnswerLost) as caught,
        ):
            call(gateway)
        self.assertEqual(caught.exception.reason, reason, caught.exception.message)
        self.assertEqual(len(fake.requests), 1)
        return caught.exception

    # ------------------------------------------------------------------
    # What is sent
    # ------------------------------------------------------------------

    def test_a_request(self):
        for sign_type in SignType:
            with (
                self.subTest(sign_type),
                self.gateway(SHOWN, sign_type=sign_type) as (gateway, fake),
            ):
                gateway.pay(MPM)
                (request,) = fake.requests
                self.assertEqual((request.method, request.path), ('POST', '/trade/v1/payment'))
                self.assertTrue(request.is_signed())
                self.assertEqual(
                    request.headers.get('X-QF-SIGNTYPE'),
                    'SHA256' if sign_type is SignType.SHA256 else None,
                )
                self.assertEqual(request.headers['X-QF-APPCODE'], APP_CODE)
                self.assertEqual(
                    request.headers['Content-Type'], 'application/x-www-form-urlencoded'
                )
                self.assertNotIn(CLIENT_KEY.encode(), request.body)
                self.assertEqual(
                    request.fields,
                    {
                        'expired_time': '5',
                        'mchid': MERCHANT,
                        'out_trade_no': REFERENCE,
                        'pay_type': '800201',
                        'txamt': '1010',
                        'txcurrcd': 'HKD',
                        'txdtm': '2026-01-15 14:03:22',
                        'udid': 'REG-01',
                    },
                )

    def test_the_published_request(self):
        """SIG4, SIG6 and SIG7, as they leave."""
        with self.gateway(SHOWN, sign_type=SignType.MD5) as (gateway, fake):
            gateway.pay(MPM)
            gateway.refund(
                Refund(
                    syssn=SYSSN,
                    reference='POS-1-0001-R1',
                    amount_minor=505,
                    requested_at=datetime(2026, 1, 15, 7, tzinfo=timezone.utc),
                )
            )
        self.assertEqual(
            [request.headers['X-QF-SIGN'] for request in fake.requests],
            ['DDAF59BBBEF893321AADD3FBE8CAFFF9', '50E3AA3B38CD3CAB898899698D2D6FB1'],
        )

    def test_no_merchant_id_is_no_field(self):
        with self.gateway(SHOWN, merchant_id=None) as (gateway, fake):
            self.assertIs(gateway.pay(MPM).verdict, Verdict.PENDING)
        self.assertNotIn(b'mchid', fake.requests[0].body)

    def test_texts_of_all_kinds_are_signed_as_they_are(self):
        payment = MpmPayment(
            reference=REFERENCE,
            amount_minor=1010,
            currency='HKD',
            pay_type='800201',
            requested_at=NOON,
            goods_name='凍檸茶 100% & more',
            notify_url='https://shop.example/pay?a=b&c=%20',
        )
        self.assertIs(self.pay(SHOWN, payment).verdict, Verdict.PENDING)

    # ------------------------------------------------------------------
    # Payments
    # ------------------------------------------------------------------

    def test_a_code_to_show_is_not_paid(self):
        outcome = self.pay(SHOWN)
        self.assertIs(outcome.verdict, Verdict.PENDING)
        self.assertEqual(outcome.action, 'poll')
        self.assertEqual(outcome.qrcode, SHOWN['qrcode'])
        self.assertEqual(outcome.expires_at, '2026-01-15 14:08:22')
        self.assertIsNone(outcome.paid_at)
        self.assertEqual((outcome.syssn, outcome.amount_minor), (SYSSN, 1010))
        self.assertEqual(outcome.wallet, 'WeChat Pay')
        self.assertTrue(outcome.signed)
        self.assertNotIn('wallet-user-0815', repr(outcome))

    def test_payme_opens_its_app(self):
        url = 'https://qr.payme.hsbc.com.hk/2/abc'
        payment = MpmPayment(
            reference=REFERENCE,
            amount_minor=1010,
            currency='HKD',
            pay_type='805801',
            requested_at=NOON,
        )
        outcome = self.pay({**PAID, 'pay_type': '805801', 'pay_url': url}, payment)
        self.assertEqual((outcome.verdict, outcome.pay_url), (Verdict.PENDING, url))

    def test_a_code_that_cannot_be_right_is_none(self):
        for qrcode in ('x' * 3000, 'a\nb', 5, None, ['x']):
            with self.subTest(qrcode):
                outcome = self.pay({**SHOWN, 'qrcode': qrcode})
                self.assertIs(outcome.verdict, Verdict.PENDING)
                self.assertEqual(outcome.qrcode, '' if qrcode != 5 else '5')

    def test_a_customers_code_is_charged(self):
        outcome = self.pay(PAID, CPM)
        self.assertIs(outcome.verdict, Verdict.DONE)
        self.assertEqual(outcome.action, 'ok')
        self.assertEqual(outcome.pay_type, '800208')
        self.assertEqual(outcome.paid_at, '2026-01-15 14:03:24')
        self.assertEqual(outcome.message, '交易成功')

    def test_a_customer_enters_a_password(self):
        for code in ('1143', '1145', 1143):
            with self.subTest(code):
                outcome = self.pay({**PAID, 'respcd': code}, CPM)
                self.assertEqual((outcome.verdict, outcome.action), (Verdict.PENDING, 'poll'))
                self.assertIsNone(outcome.paid_at)

    def test_every_code(self):
        for code, meaning in RETURN_CODES.items():
            if code == '0000':
                continue
            with self.subTest(code):
                outcome = self.pay({**PAID, 'respcd': code}, CPM)
                self.assertIs(outcome.verdict, meaning.payment.answer)
                self.assertEqual(outcome.action, meaning.payment.action)
                outcome = self.refund({'respcd': code, 'resperr': 'x'})
                self.assertIs(outcome.verdict, meaning.refund.answer)
                self.assertEqual(outcome.action, meaning.refund.action)

    def test_a_number_that_qfpay_has_already(self):
        """Also said with the code of a shop that is set up wrongly: the first one may be paid."""
        for said, verdict, action in (
            ({'resperr': 'out_trade_no is used'}, Verdict.UNKNOWN, 'check'),
            ({'resperr': '', 'respmsg': 'OUT_TRADE_NO IS USED.'}, Verdict.UNKNOWN, 'check'),
            ({'resperr': 'x', 'respmsg': 'already used'}, Verdict.UNKNOWN, 'check'),
            ({'resperr': 'channel is not set up'}, Verdict.FAILED, 'stop'),
            ({'resperr': 'this is useful'}, Verdict.FAILED, 'stop'),
            ({}, Verdict.FAILED, 'stop'),
        ):
            for call in (
                lambda gateway: gateway.pay(MPM),
                lambda gateway: gateway.pay(CPM),
                lambda gateway: gateway.refund(REFUND),
            ):
                with self.subTest(said):
                    outcome = self.ask(call, {'respcd': '1251', **said})
                    self.assertEqual((outcome.verdict, outcome.action), (verdict, action))
                    self.assertEqual(outcome.code, '1251')
        other = self.pay({'respcd': '1205', 'resperr': 'out_trade_no is used'}, CPM)
        self.assertIs(other.verdict, Verdict.FAILED)

    def test_a_nested_answer(self):
        answer = {
            'respcd': '0000',
            'respmsg': 'success',
            'data': {
                'txamt': '1010',
                'out_trade_no': REFERENCE,
                'txcurrcd': 'HKD',
                'qf_trade_no': SYSSN,
                'pay_type': '800208',
            },
        }
        for state, verdict in (
            (None, Verdict.DONE),
            ('SUCCESS', Verdict.DONE),
            ('PENDING', Verdict.PENDING),
            ('FAILED', Verdict.UNKNOWN),
            ('?', Verdict.UNKNOWN),
        ):
            with self.subTest(state):
                answer['data']['txstatus'] = state
                outcome = self.pay(answer, CPM)
                self.assertIs(outcome.verdict, verdict)
                self.assertEqual((outcome.syssn, outcome.amount_minor), (SYSSN, 1010))

    def test_an_answer_about_something_else(self):
        for change in (
            {'out_trade_no': 'POS-1-0002'},
            {'txamt': '1011'},
            {'txamt': 101},
            {'txcurrcd': 'CNY'},
            {'mchid': 'SOMEBODY'},
        ):
            for payment, answer in ((MPM, SHOWN), (CPM, PAID)):
                for code in ('0000', '1143', '1205'):
                    with self.subTest(change, code=code):
                        outcome = self.pay({**answer, 'respcd': code, **change}, payment)
                        self.assertIs(outcome.verdict, Verdict.UNKNOWN)
                        self.assertEqual(outcome.action, 'check')
                        self.assertEqual(outcome.qrcode, '')

    def test_amounts_as_numbers(self):
        self.assertIs(self.pay({**PAID, 'txamt': 1010}, CPM).verdict, Verdict.DONE)

    # ------------------------------------------------------------------
    # Answers that do not come, or cannot be believed
    # ------------------------------------------------------------------

    def both(self):
        return (
            lambda gateway: gateway.pay(CPM),
            lambda gateway: gateway.pay(MPM),
            lambda gateway: gateway.refund(REFUND),
            lambda gateway: gateway.cancel(ORDER),
        )

    def test_hung_up(self):
        for call in self.both():
            self.assertLostOnce(call, lambda _request: None, reason='connection')

    def test_nobody_there(self):
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            gateway = Gateway(
                self.account(f'http://127.0.0.1:{taken.getsockname()[1]}'), clock=StillClock()
            )
            for call in self.both():
                with self.assertRaises(NotSent) as caught:
                    call(gateway)
                self.assertEqual(caught.exception.reason, 'network')

    def test_wrong_signatures(self):
        signature = hashlib.md5(json.dumps(PAID).encode() + CLIENT_KEY.encode()).hexdigest()
        for said in (
            Said(PAID, sign='0' * 32),
            Said(PAID, key='ANOTHER'),
            Said(json.dumps(PAID, separators=(',', ':')).encode(), sign=signature),
            Said({**PAID, 'respcd': '1205'}, key='ANOTHER'),
            Said(PAID, X_QF_SIGNTYPE='SHA256'),
        ):
            for call in self.both():
                self.assertLostOnce(call, said)

    def test_signatures_of_the_other_kind(self):
        body = json.dumps(PAID).encode()
        signature = hashlib.sha256(body + CLIENT_KEY.encode()).hexdigest().upper()
        for headers in ({}, {'X_QF_SIGNTYPE': 'SHA256'}):
            said = Said(body, sign=signature, **headers)
            self.assertIs(self.pay(said, CPM).verdict, Verdict.DONE)

    def test_no_signature_without_tls(self):
        for answer in (PAID, {**PAID, 'respcd': '1205'}):
            self.assertLostOnce(lambda gateway: gateway.pay(CPM), Said(answer, sign=False))

    def test_tls(self):
        with (
            certificate_for_this_machine() as path,
            gateway_that(lambda _request: Said(PAID, sign=False), path) as fake,
        ):
            gateway = Gateway(self.account(fake.url, ca_file=path), clock=StillClock())
            outcome = gateway.pay(CPM)
            self.assertIs(outcome.verdict, Verdict.DONE)
            self.assertFalse(outcome.signed)
            stranger = Gateway(self.account(fake.url), clock=StillClock())
            with self.assertRaises(NotSent) as caught:
                stranger.pay(CPM)
            self.assertEqual(caught.exception.reason, 'tls')
            self.assertEqual(stranger.test_connection().problem, 'tls')
            self.assertEqual(len(fake.requests), 1)

    def test_a_wrong_key_is_named(self):
        """QFPay signs with its own key what it says about ours."""
        for code, key in (('1108', 'THE-REAL-KEY'), ('1106', None), ('1107', None)):
            with self.subTest(code):
                answer = {'respcd': code, 'resperr': 'no'}
                said = Said(answer, key=key) if key else Said(answer, sign=False)
                outcome = self.pay(said, CPM)
                self.assertEqual((outcome.verdict, outcome.code), (Verdict.FAILED, code))
                self.assertEqual(outcome.action, 'stop')
                self.assertFalse(outcome.signed)

    def test_statuses(self):
        for status in (500, 502, 503, 504):
            for body in (PAID, {'respcd': '1205'}, b'<html>no</html>'):
                self.assertLostOnce(lambda gateway: gateway.pay(CPM), Said(body, status))
        for status in (301, 400, 401, 403, 404, 405):
            self.assertLostOnce(lambda gateway: gateway.pay(CPM), Said(b'<html>no</html>', status))
        outcome = self.pay(Said({'respcd': '1103', 'resperr': 'no'}, 400), CPM)
        self.assertEqual((outcome.verdict, outcome.code), (Verdict.FAILED, '1103'))

    def test_what_is_no_answer(self):
        for body in (b'', b'[]', b'null', b'"0000"', b'{}', b'{', b'\xff', b'[' * 50_000):
            with self.subTest(body[:10]):
                self.assertLostOnce(lambda gateway: gateway.pay(CPM), Said(body))
        self.assertLostOnce(
            lambda gateway: gateway.pay(CPM), Said(b' ' * (1 << 21)), reason='too_large'
        )

    @ANY
    @given(body=st.binary(max_size=80), status=st.integers(200, 599))
    def test_any_signed_bytes_are_read_or_lost(self, body, status):
        signature = hashlib.md5(body + CLIENT_KEY.encode()).hexdigest().upper()
        gateway = Gateway(self.account('http://127.0.0.1:1'), clock=StillClock())
        reply = Reply(status, {'x-qf-sign': signature}, body)
        with contextlib.suppress(QFPayError):
            gateway._open(reply)

    def test_too_many_requests(self):
        for call in self.both():
            for text, seconds in (
                ('7', 7),
                ('0', 0),
                ('999999999999', 3600),
                ('-5', None),
                ('soon', None),
                (format_datetime(NOON + timedelta(seconds=30), usegmt=True), 30),
                (format_datetime(NOON - timedelta(seconds=30), usegmt=True), 0),
            ):
                with (
                    self.subTest(text),
                    self.gateway(Said(b'', 429, Retry_After=text)) as (gateway, fake),
                ):
                    with self.assertRaises(RateLimited) as caught:
                        call(gateway)
                    self.assertEqual(caught.exception.retry_after, seconds)
                    self.assertEqual(len(fake.requests), 1)

    def test_a_limiter_has_the_first_word(self):
        def no():
            raise RateLimited('wait', 3)

        with (
            self.gateway(PAID, hooks={'permit': no}) as (gateway, fake),
            self.assertRaises(RateLimited),
        ):
            gateway.pay(CPM)
        self.assertEqual(fake.requests, [])

    def calls(self):
        """Everything that a gateway can be asked."""
        return (
            *self.both(),
            lambda gateway: gateway.cancel(self.order(path=REVERSAL)),
            lambda gateway: gateway.query([REFERENCE]),
            lambda gateway: gateway.query(syssns=[SYSSN]),
        )

    def test_a_last_look_before_the_first_byte(self):
        """Whoever has waited too long lets it be: the connection stands, and no byte arrives."""

        def behaviour(it):
            it.sock.settimeout(5)
            it.received = it.sock.recv(65536)

        for call in self.calls():
            with serving(behaviour) as server:

                def too_late(server=server):
                    self.assertTrue(server.accepted.wait(5))
                    server.accepted.clear()
                    raise NotSent('It is too late.', 'stale')

                gateway = Gateway(
                    self.account(f'http://127.0.0.1:{server.port}'),
                    clock=StillClock(),
                    before_first_byte=too_late,
                )
                with self.assertRaises(NotSent) as caught:
                    call(gateway)
                self.assertEqual(caught.exception.reason, 'stale')
                for thread in server.threads[1:]:
                    thread.join(5)
                self.assertEqual({it.received for it in server.conversations}, {b''})

    def test_a_look_before_each_request(self):
        looks = []
        behaviour = self.after(None)
        hooks = {'before_first_byte': lambda: looks.append('look')}
        with self.gateway(behaviour, hooks=hooks) as (gateway, fake):
            gateway.query([REFERENCE])
        self.assertEqual((len(looks), len(fake.requests)), (2, 2))

        def only_get(request):
            return {'respcd': '0000', 'syssn': '9'} if request.method == 'GET' else Said(b'', 405)

        looks.clear()
        with self.gateway(only_get, hooks=hooks) as (gateway, fake):
            gateway.cancel(self.order())
        self.assertEqual((len(looks), len(fake.requests)), (2, 2))

    def test_what_came_instead_of_an_answer_is_kept_for_support(self):
        for said in (
            Said(b'{"respcd": "0000", "out": "of order"}', key='ANOTHER'),
            Said(b'{"respcd": "0000", "out": "of order"}', sign=False),
            Said(b'<html>out of order</html>'),
            Said(b'{"respcd": "0000", "out": "of order"}', status=502),
        ):
            with self.subTest(said.body):
                lost = self.assertLostOnce(lambda gateway: gateway.pay(CPM), said)
                self.assertIn('of order', lost.heard)
                self.assertNotIn('of order', lost.message)

    # ------------------------------------------------------------------
    # Refunds
    # ------------------------------------------------------------------

    def test_a_refund(self):
        answer = {
            **PAID,
            'syssn': REFUND_SYSSN,
            'orig_syssn': SYSSN,
            'out_trade_no': 'POS-1-0001-R1',
            'txamt': '505',
        }
        with self.gateway(answer) as (gateway, fake):
            outcome = gateway.refund(REFUND)
        self.assertIs(outcome.verdict, Verdict.DONE)
        self.assertEqual((outcome.syssn, outcome.orig_syssn), (REFUND_SYSSN, SYSSN))
        self.assertEqual((outcome.trade_type, outcome.amount_minor), ('refund', 505))
        self.assertEqual(
            fake.requests[0].fields,
            {
                'mchid': MERCHANT,
                'out_trade_no': 'POS-1-0001-R1',
                'syssn': SYSSN,
                'txamt': '505',
                'txdtm': '2026-01-15 14:03:22',
                'udid': 'REG-01',
            },
        )
        for change in (
            {'orig_syssn': 'X'},
            {'txamt': '1010'},
            {'out_trade_no': REFERENCE},
            {'mchid': 'X'},
        ):
            with self.subTest(change):
                self.assertIs(self.refund({**answer, **change}).verdict, Verdict.UNKNOWN)

    # ------------------------------------------------------------------
    # Cancelling
    # ------------------------------------------------------------------

    def order(self, **changes):
        return Cancel(
            **{
                'path': CLOSE,
                'pay_type': '800201',
                'amount_minor': 1010,
                'requested_at': NOON,
                'reference': REFERENCE,
                **changes,
            }
        )

    def cancel(self, behaviour, **changes):
        """The outcome, and the calls that were made."""
        with self.gateway(behaviour) as (gateway, fake):
            outcome = gateway.cancel(self.order(**changes))
        for request in fake.requests:
            self.assertTrue(request.is_signed())
        return outcome, [(request.method, request.path) for request in fake.requests], fake

    def test_a_cancel_makes_the_call_that_it_names(self):
        ended = {'respcd': '0000', 'syssn': '99', 'orig_syssn': SYSSN, 'txamt': '1010'}
        for path in (CLOSE, REVERSAL):
            with self.subTest(path):
                outcome, calls, fake = self.cancel(ended, path=path)
                self.assertEqual(calls, [('POST', path)])
                self.assertIs(outcome.verdict, Verdict.DONE)
                self.assertTrue(outcome.signed and outcome.strict)
                # nobody shall take it for a payment's outcome
                self.assertEqual((outcome.reference, outcome.amount_minor), (None, None))
                self.assertEqual((outcome.syssn, outcome.trade_type), (None, None))
                self.assertEqual(
                    fake.requests[0].fields,
                    {
                        'mchid': MERCHANT,
                        'out_trade_no': REFERENCE,
                        'txamt': '1010',
                        'txdtm': '2026-01-15 14:03:22',
                    },
                )

    def test_a_cancel_by_qfpays_number(self):
        _outcome, _calls, fake = self.cancel({'respcd': '1264'}, syssn=SYSSN)
        self.assertEqual(fake.requests[0].fields['syssn'], SYSSN)
        self.assertNotIn('out_trade_no', fake.requests[0].fields)

    def test_a_way_that_is_none_for_this_order(self):
        """One call each time: whether there is another way, the ledger's rules know."""
        for refusal in (
            {'respcd': '1297'},
            {'respcd': '1104'},
            {'respcd': '1136'},
            {'respcd': '1101'},
            {'respcd': '0000'},
            {'respcd': '0000', 'data': {}},
        ):
            for path in (CLOSE, REVERSAL):
                with self.subTest(refusal, path=path):
                    outcome, calls, _fake = self.cancel(refusal, path=path)
                    self.assertEqual(calls, [('POST', path)])
                    self.assertIs(outcome.verdict, Verdict.FAILED)
                    self.assertEqual(outcome.code, refusal['respcd'])

    def test_the_number_of_a_cancel_may_lie_deeper(self):
        for data in ({'syssn': '99'}, {'qf_trade_no': '99'}):
            outcome, _calls, _fake = self.cancel({'respcd': '0000', 'data': data})
            self.assertIs(outcome.verdict, Verdict.DONE)

    def test_by_get(self):
        """The documents disagree on the method."""
        for status in (404, 405):

            def behaviour(request, status=status):
                if request.method == 'POST':
                    return Said(b'no', status)
                return {'respcd': '0000', 'syssn': '9'}

            for path in (CLOSE, REVERSAL):
                with self.subTest(status, path=path):
                    outcome, calls, fake = self.cancel(behaviour, path=path)
                    self.assertEqual(calls, [('POST', path), ('GET', path)])
                    self.assertIs(outcome.verdict, Verdict.DONE)
                    self.assertEqual(fake.requests[0].fields, fake.requests[1].fields)

    def test_no_such_call(self):
        """Nothing was done, for certain; so it is an error of its own."""
        with (
            self.gateway(lambda _request: Said(b'no', 404)) as (gateway, fake),
            self.assertRaises(NoSuchCall),
        ):
            gateway.cancel(self.order())
        self.assertEqual([request.method for request in fake.requests], ['POST', 'GET'])

    def test_a_cancel_whose_answer_is_lost_is_not_an_accepted_one(self):
        for behaviour in (lambda _request: None, Said({'respcd': '0000'}, key='ANOTHER')):
            with self.gateway(behaviour) as (gateway, fake), self.assertRaises(AnswerLost):
                gateway.cancel(self.order())
            self.assertEqual(len(fake.requests), 1)

    def test_what_cancelling_says(self):
        for code, verdict in (
            ('1142', Verdict.DONE),
            ('1181', Verdict.DONE),
            ('1263', Verdict.DONE),
            ('1264', Verdict.DONE),
            ('1143', Verdict.PENDING),
            ('1145', Verdict.PENDING),
            ('1150', Verdict.FAILED),
            ('1260', Verdict.UNKNOWN),
            ('1254', Verdict.UNKNOWN),
            ('9999', Verdict.UNKNOWN),
        ):
            with self.subTest(code):
                outcome, calls, _fake = self.cancel({'respcd': code})
                self.assertEqual(len(calls), 1)
                self.assertIs(outcome.verdict, verdict)

    # ------------------------------------------------------------------
    # Queries
    # ------------------------------------------------------------------

    def query_one(self, row, **options):
        return self.ask(lambda gateway: gateway.query([REFERENCE])[REFERENCE], rows(row), **options)

    def test_a_query(self):
        with self.gateway(rows(ROW)) as (gateway, fake):
            outcome = gateway.query([REFERENCE])[REFERENCE]
        self.assertIs(outcome.verdict, Verdict.DONE)
        self.assertEqual((outcome.code, outcome.inner_code), ('0000', '0000'))
        self.assertEqual((outcome.syssn, outcome.amount_minor), (SYSSN, 1010))
        self.assertEqual((outcome.cancel, outcome.refundable_minor), (0, 1010))
        self.assertEqual((outcome.trade_type, outcome.paid_at), ('payment', ROW['paydtm']))
        (request,) = fake.requests
        self.assertEqual((request.method, request.path), ('POST', QUERY))
        self.assertEqual(
            request.fields,
            {'mchid': MERCHANT, 'out_trade_no': REFERENCE, 'page': '1', 'page_size': '100'},
        )

    def test_states_of_a_row(self):
        for change, verdict in (
            ({}, Verdict.DONE),
            ({'cancel': 0}, Verdict.DONE),
            ({'cancel': '5'}, Verdict.DONE),
            ({'cancel': '1'}, Verdict.CANCELLED),
            ({'cancel': '2'}, Verdict.CANCELLED),
            ({'cancel': '3'}, Verdict.CANCELLED),
            ({'cancel': '4'}, Verdict.UNKNOWN),
            ({'cancel': '7'}, Verdict.UNKNOWN),
            ({'cancel': 'x'}, Verdict.UNKNOWN),
            ({'respcd': '1143'}, Verdict.PENDING),
            ({'respcd': '1145'}, Verdict.PENDING),
            ({'respcd': '1143', 'cancel': '2'}, Verdict.CANCELLED),
            ({'respcd': '1143', 'cancel': '3'}, Verdict.CANCELLED),
            ({'respcd': '1254', 'cancel': '1'}, Verdict.CANCELLED),
            ({'respcd': '1181'}, Verdict.FAILED),
            ({'respcd': '1205', 'cancel': '2'}, Verdict.FAILED),
            ({'respcd': '1142'}, Verdict.CANCELLED),
            ({'respcd': '1264'}, Verdict.CANCELLED),
            ({'respcd': '1298'}, Verdict.UNKNOWN),
            ({'respcd': '9999'}, Verdict.UNKNOWN),
            ({'respcd': ''}, Verdict.UNKNOWN),
            ({'mchid': MERCHANT}, Verdict.DONE),
            ({'mchid': 'SOMEBODY'}, Verdict.UNKNOWN),
        ):
            with self.subTest(change):
                outcome = self.query_one({**ROW, **change})
                self.assertIs(outcome.verdict, verdict)

    def test_every_code_of_a_row(self):
        for code, meaning in RETURN_CODES.items():
            for kind in ('payment', 'refund'):
                with self.subTest(code, kind=kind):
                    outcome = self.query_one({**ROW, 'order_type': kind, 'respcd': code})
                    self.assertIs(outcome.verdict, meaning.ruling(kind).row)
                    self.assertEqual((outcome.inner_code, outcome.trade_type), (code, kind))

    def test_what_is_left_to_refund(self):
        for cancel, left in (('0', 1010), ('5', None), ('3', 0), ('1', 0)):
            self.assertEqual(self.query_one({**ROW, 'cancel': cancel}).refundable_minor, left)

    def test_a_refunds_row(self):
        row = {
            **ROW,
            'order_type': 'refund',
            'syssn': REFUND_SYSSN,
            'origssn': SYSSN,
            'cancel': '3',
        }
        outcome = self.query_one(row)
        self.assertEqual((outcome.verdict, outcome.trade_type), (Verdict.DONE, 'refund'))
        self.assertEqual(outcome.orig_syssn, SYSSN)

    def test_rows_of_other_kinds_are_passed_over(self):
        closing = {**ROW, 'order_type': 'close', 'syssn': '1', 'respcd': '0000'}
        unpaid = {**ROW, 'respcd': '1143'}
        for found in ((closing, unpaid), (unpaid, closing)):
            outcome = self.ask(lambda gateway: gateway.query([REFERENCE]), rows(*found))
            self.assertIs(outcome[REFERENCE].verdict, Verdict.PENDING)
        self.assertIs(self.query_one(closing).verdict, Verdict.NOT_FOUND)

    def test_two_rows_under_one_number(self):
        failed = {**ROW, 'syssn': '1', 'respcd': '1205'}
        for found in ((ROW, failed), (failed, ROW)):
            outcome = self.ask(lambda gateway: gateway.query([REFERENCE]), rows(*found))
            self.assertIs(outcome[REFERENCE].verdict, Verdict.DONE)

    def test_two_paid_rows_under_one_number(self):
        """The customer has paid twice: the second payment is not kept quiet."""
        first = {**ROW, 'syssn': 'A', 'paydtm': '2026-01-15 14:03:40'}
        second = {**ROW, 'syssn': 'B', 'paydtm': '2026-01-15 14:05:40'}
        failed = {**ROW, 'syssn': 'F', 'respcd': '1205'}
        third = {**ROW, 'syssn': 'C'}
        for found, own, others in (
            ((first, second), 'A', ('B',)),
            ((failed, first, failed, second), 'A', ('B',)),
            ((first, second, third, second), 'A', ('B', 'C')),
            ((first, first), 'A', ()),
            ((first, failed), 'A', ()),
            ((first, {**second, 'syssn': ''}), 'A', ('',)),
            ((first, {**second, 'order_type': 'refund', 'cancel': '0'}), 'A', ('B',)),
        ):
            with self.subTest([row['syssn'] for row in found]):
                answer = rows(*found)
                outcome = self.ask(lambda gateway: gateway.query([REFERENCE])[REFERENCE], answer)
                self.assertIs(outcome.verdict, Verdict.DONE)
                self.assertEqual((outcome.syssn, outcome.also_paid), (own, others))

    def test_the_row_that_speaks_of_money_counts(self):
        kinds = ('0000', '1143', '9999', '1264', '1205')
        for better, worse in combinations(kinds, 2):
            for codes in ((better, worse), (worse, better)):
                with self.subTest(codes):
                    found = ({**ROW, 'syssn': code, 'respcd': code} for code in codes)
                    outcome = self.ask(lambda gateway: gateway.query([REFERENCE]), rows(*found))
                    self.assertEqual(outcome[REFERENCE].syssn, better)
                    self.assertEqual(outcome[REFERENCE].also_paid, ())

    def in_silent_pages(self, *found, size=10):
        """A server that shows so many rows a page, whatever it is asked, and does not say so."""

        def behaviour(request):
            at = (int(request.fields['page']) - 1) * size
            return rows(*found[at : at + size], page_size=request.fields['page_size'])

        return behaviour

    def test_one_number_is_read_through_all_pages(self):
        """Its paid row may stand on the last one."""
        failed = [{**ROW, 'syssn': f'F{n}', 'respcd': '1205'} for n in range(25)]
        for paid_at in (0, 9, 10, 19, 20, 25):
            found = [*failed[:paid_at], ROW, *failed[paid_at:]]
            with (
                self.subTest(paid_at),
                self.gateway(self.in_silent_pages(*found)) as (gateway, fake),
            ):
                outcome = gateway.query([REFERENCE])[REFERENCE]
                self.assertEqual((outcome.verdict, outcome.syssn), (Verdict.DONE, SYSSN))
                self.assertEqual([int(r.fields['page']) for r in fake.requests], [1, 2, 3])

    def test_the_second_paid_row_may_stand_on_another_page(self):
        failed = [{**ROW, 'syssn': f'F{n}', 'respcd': '1205'} for n in range(12)]
        found = [ROW, *failed, {**ROW, 'syssn': 'SECOND'}]
        with self.gateway(self.in_silent_pages(*found)) as (gateway, _fake):
            self.assertEqual(gateway.query([REFERENCE])[REFERENCE].also_paid, ('SECOND',))

    def test_pages_shorter_than_ten_say_so(self):
        failed = [{**ROW, 'syssn': f'F{n}', 'respcd': '1205'} for n in range(5)]

        def behaviour(request):
            at = (int(request.fields['page']) - 1) * 3
            return rows(*[*failed, ROW][at : at + 3], page_size='3')

        with self.gateway(behaviour) as (gateway, fake):
            self.assertIs(gateway.query([REFERENCE])[REFERENCE].verdict, Verdict.DONE)
        # the third page is empty
        self.assertEqual(len(fake.requests), 3)

    def test_one_number_with_a_few_rows_is_asked_for_once(self):
        failed = [{**ROW, 'syssn': f'F{n}', 'respcd': '1205'} for n in range(8)]
        for count in (0, 1, 8):
            with self.gateway(self.in_silent_pages(*failed[:count], ROW)) as (gateway, fake):
                self.assertIs(gateway.query([REFERENCE])[REFERENCE].verdict, Verdict.DONE)
            self.assertEqual(len(fake.requests), 1)

    def test_what_a_row_tells(self):
        row = {**ROW, 'origssn': 'O', 'mchid': MERCHANT, 'sysdtm': '2026-01-15 14:03:23'}
        outcome = self.query_one(row)
        self.assertTrue(outcome.strict and outcome.signed)
        self.assertEqual(outcome.traded_at, datetime(2026, 1, 15, 6, 3, 23, tzinfo=timezone.utc))
        self.assertEqual((outcome.merchant, outcome.orig_syssn), (MERCHANT, 'O'))
        self.assertEqual(outcome.chnlsn, '4200000000000000001')
        self.assertEqual(json.loads(outcome.heard), row)
        self.assertIsNone(self.query_one({**row, 'sysdtm': '', 'txdtm': 'x'}).traded_at)

    def test_nothing_found(self):
        for answer in (
            rows(),
            rows(data=None),
            rows(data=''),
            {'respcd': '0000'},
            {'respcd': '1136', 'resperr': "order doesn't exist"},
            {'respcd': '1268'},
            rows({**ROW, 'out_trade_no': 'SOMEBODY-ELSES'}),
        ):
            with self.subTest(answer):
                outcome = self.ask(lambda gateway: gateway.query([REFERENCE])[REFERENCE], answer)
                self.assertIs(outcome.verdict, Verdict.NOT_FOUND)
                self.assertEqual(outcome.reference, REFERENCE)

    def test_an_answer_that_is_no_list(self):
        for data in ('text', [1], [ROW, None], True, 5):
            with (
                self.subTest(data),
                self.gateway(rows(data=data)) as (gateway, _fake),
                self.assertRaises(AnswerLost),
            ):
                gateway.query([REFERENCE])

    def test_qfpay_would_not_tell(self):
        for code in ('1100', '1108', '1241', '1254', '9999', '1104'):
            with self.subTest(code):
                answer = {'respcd': code, 'resperr': 'no'}
                outcome = self.ask(lambda gateway: gateway.query([REFERENCE])[REFERENCE], answer)
                self.assertEqual((outcome.verdict, outcome.code), (Verdict.UNKNOWN, code))
                self.assertEqual(outcome.message, 'no')

    def numbers(self, count):
        return [f'POS-{number}-1' for number in range(count)]

    def book(self, numbers, **more):
        """A gateway that knows these numbers, in pages of what is asked for."""

        def behaviour(request):
            asked = request.fields['out_trade_no'].split(',')
            known = [number for number in numbers if number in asked]
            size, page = int(request.fields['page_size']), int(request.fields['page'])
            shown = known[(page - 1) * size : page * size]
            return rows(*({**ROW, 'syssn': f'S{n}', 'out_trade_no': n} for n in shown), **more)

        return behaviour

    def test_a_hundred_at_once(self):
        numbers = self.numbers(100)
        with self.gateway(self.book(numbers)) as (gateway, fake):
            outcomes = gateway.query(numbers)
        self.assertEqual(list(outcomes), numbers)
        self.assertEqual({outcome.verdict for outcome in outcomes.values()}, {Verdict.DONE})
        self.assertEqual(len(fake.requests), 1)

    def test_more_than_a_hundred(self):
        numbers = self.numbers(250)
        with self.gateway(self.book(numbers[:-1])) as (gateway, fake):
            outcomes = gateway.query([*numbers, *numbers])
        self.assertEqual(list(outcomes), numbers)
        self.assertIs(outcomes[numbers[-1]].verdict, Verdict.NOT_FOUND)
        self.assertIs(outcomes[numbers[-2]].verdict, Verdict.DONE)
        self.assertEqual(len(fake.requests), 3)

    def test_small_pages(self):
        numbers = self.numbers(25)

        def behaviour(request):
            page = int(request.fields['page'])
            shown = numbers[(page - 1) * 10 : page * 10]
            found = ({**ROW, 'syssn': f'S{n}', 'out_trade_no': n} for n in shown)
            return rows(*found, page_size='10')

        with self.gateway(behaviour) as (gateway, fake):
            outcomes = gateway.query(numbers)
        self.assertEqual({outcome.verdict for outcome in outcomes.values()}, {Verdict.DONE})
        self.assertEqual(len(fake.requests), 3)

    def test_the_same_page_for_ever(self):
        page = rows(*({**ROW, 'syssn': str(n), 'out_trade_no': f'X-{n}'} for n in range(100)))
        with self.gateway(page) as (gateway, fake):
            self.assertIs(gateway.query([REFERENCE])[REFERENCE].verdict, Verdict.NOT_FOUND)
        self.assertEqual(len(fake.requests), 2)

    def test_new_pages_for_ever(self):
        def behaviour(request):
            page = request.fields['page']
            strangers = ({**ROW, 'syssn': f'{page}-{n}', 'out_trade_no': 'X'} for n in range(100))
            return rows(*strangers)

        with self.gateway(behaviour) as (gateway, fake):
            self.assertIs(gateway.query([REFERENCE])[REFERENCE].verdict, Verdict.NOT_FOUND)
        self.assertEqual(len(fake.requests), 50)

    def test_a_page_that_is_refused_is_not_an_empty_one(self):
        numbers = self.numbers(20)

        def behaviour(request):
            if request.fields['page'] != '1':
                return {'respcd': '1254'}
            found = ({**ROW, 'syssn': f'S{n}', 'out_trade_no': n} for n in numbers[:10])
            return rows(*found, page_size=10)

        with self.gateway(behaviour) as (gateway, _fake):
            outcomes = gateway.query(numbers)
        self.assertIs(outcomes[numbers[9]].verdict, Verdict.DONE)
        self.assertIs(outcomes[numbers[10]].verdict, Verdict.UNKNOWN)

    def test_lists_that_are_too_long(self):
        numbers = self.numbers(10)

        def behaviour(request):
            if len(request.fields['out_trade_no']) > 30:
                return {'respcd': '1103', 'resperr': 'too long'}
            return self.book(numbers)(request)

        with self.gateway(behaviour) as (gateway, fake):
            for _time in range(2):
                outcomes = gateway.query(numbers)
                self.assertEqual({outcome.verdict for outcome in outcomes.values()}, {'done'})
            sizes = [len(request.fields['out_trade_no'].split(',')) for request in fake.requests]
        self.assertEqual(sizes, [10, 5, 2, 2, 2, 2, 2, *[2] * 5])

    def test_every_list_is_refused(self):
        with self.gateway({'respcd': '1104'}) as (gateway, fake):
            outcomes = gateway.query(self.numbers(100))
        self.assertEqual({outcome.verdict for outcome in outcomes.values()}, {Verdict.UNKNOWN})
        self.assertLess(len(fake.requests), 10)

    def test_by_qfpays_numbers(self):
        with self.gateway(rows(ROW)) as (gateway, fake):
            outcomes = gateway.query(syssns=[SYSSN, '2'], since=NOON - timedelta(days=99))
        self.assertIs(outcomes[SYSSN].verdict, Verdict.DONE)
        self.assertEqual((outcomes['2'].verdict, outcomes['2'].syssn), ('not_found', '2'))
        self.assertEqual(len(fake.requests), 1)
        self.assertEqual(fake.requests[0].fields['syssn'], f'{SYSSN},2')

    def test_questions_that_make_no_sense(self):
        with self.gateway(rows()) as (gateway, fake):
            for question in (
                {},
                {'references': ['a'], 'syssns': ['b']},
                {'references': ['a,b']},
                {'references': ['']},
                {'syssns': [None]},
                {'references': ['a'], 'since': datetime(2026, 1, 1)},
            ):
                with self.subTest(question), self.assertRaises(InvalidRequest):
                    gateway.query(**question)
        self.assertEqual(fake.requests, [])

    def test_the_month_before(self):
        # a quarter past midnight in Hong Kong, on the first of February
        clock = StillClock(datetime(2026, 1, 31, 16, 15, tzinfo=timezone.utc))

        def behaviour(request):
            return rows(ROW) if request.fields['start_time'].startswith('2026-01') else rows()

        with self.gateway(behaviour, clock=clock) as (gateway, fake):
            outcome = gateway.query([REFERENCE], since=clock.now() - timedelta(minutes=20))
        self.assertIs(outcome[REFERENCE].verdict, Verdict.DONE)
        self.assertEqual(
            [
                (request.fields['start_time'], request.fields['end_time'])
                for request in fake.requests
            ],
            [
                ('2026-02-01 00:00:00', '2026-02-01 01:15:00'),
                ('2026-01-31 22:55:00', '2026-01-31 23:59:59'),
            ],
        )

    def test_the_present_month_is_left_to_qfpay(self):
        with self.gateway(rows(ROW)) as (gateway, fake):
            gateway.query([REFERENCE], since=NOON - timedelta(days=10))
        self.assertNotIn('start_time', fake.requests[0].fields)

    def test_a_month_is_not_asked_for_what_is_found(self):
        with self.gateway(rows(ROW)) as (gateway, fake):
            gateway.query([REFERENCE], since=NOON - timedelta(days=100))
        self.assertEqual(len(fake.requests), 1)

    def test_no_more_than_a_year(self):
        with self.gateway(rows()) as (gateway, fake):
            gateway.query([REFERENCE], since=NOON - timedelta(days=3000))
        self.assertEqual(len(fake.requests), 13)

    # ------------------------------------------------------------------
    # Asking again
    # ------------------------------------------------------------------

    def after(self, *first):
        """A gateway that says these things first, and then the truth."""
        left = list(first)
        return lambda _request: left.pop(0) if left else rows(ROW)

    def test_inquiries_are_repeated(self):
        clock, permits = StillClock(), []
        behaviour = self.after(None, Said(b'', 502))
        with self.gateway(behaviour, clock, {'permit': lambda: permits.append(1)}) as (
            gateway,
            fake,
        ):
            self.assertIs(gateway.query([REFERENCE])[REFERENCE].verdict, Verdict.DONE)
        self.assertEqual((len(fake.requests), len(permits)), (3, 3))
        first, second = clock.slept
        self.assertTrue(0.5 <= first <= 0.7 and 1 <= second <= 1.4, clock.slept)

    def test_inquiries_are_given_up(self):
        with (
            self.gateway(lambda _request: None) as (gateway, fake),
            self.assertRaises(AnswerLost),
        ):
            gateway.query([REFERENCE])
        self.assertEqual(len(fake.requests), INQUIRY_TRIES)

    def test_an_inquiry_at_a_wrong_address_is_not_repeated(self):
        for status in (404, 405):
            self.assertLostOnce(lambda gateway: gateway.query([REFERENCE]), Said(rows(ROW), status))

    def test_inquiries_obey(self):
        clock = StillClock()
        with self.gateway(self.after(Said(b'', 429, Retry_After='4')), clock) as (gateway, _fake):
            self.assertIs(gateway.query([REFERENCE])[REFERENCE].verdict, Verdict.DONE)
        self.assertEqual(clock.slept, [4])
        behaviour = self.after(Said(b'', 429), Said(b'', 429))
        with self.gateway(behaviour, clock) as (gateway, _fake):
            gateway.query([REFERENCE])
        self.assertEqual(len(clock.slept), 3)

    def test_a_long_pause_is_the_callers(self):
        clock = StillClock()
        with (
            self.gateway(Said(b'', 429, Retry_After='60'), clock) as (gateway, fake),
            self.assertRaises(RateLimited) as caught,
        ):
            gateway.query([REFERENCE])
        self.assertEqual((caught.exception.retry_after, clock.slept), (60, []))
        self.assertEqual(len(fake.requests), 1)

    # ------------------------------------------------------------------
    # Testing the connection
    # ------------------------------------------------------------------

    def diagnose(self, behaviour, **options):
        return self.ask(lambda gateway: gateway.test_connection(), behaviour, **options)

    def test_all_is_well(self):
        now = format_datetime(NOON, usegmt=True)
        for answer in (rows(), {'respcd': '1136'}, {'respcd': '1268'}):
            diagnosis = self.diagnose(Said(answer, Date=now))
            self.assertIsNone(diagnosis.problem)
            self.assertEqual((diagnosis.skew, diagnosis.signed), (0, True))

    def test_what_is_wrong(self):
        for code, problem in (
            ('1105', 'app_code'),
            ('1106', 'app_code'),
            ('1107', 'app_code'),
            ('1108', 'client_key'),
            ('2003', 'client_key'),
            ('1103', 'merchant'),
            ('1104', 'merchant'),
            ('1203', 'merchant'),
            ('1241', 'merchant'),
            ('1100', 'service'),
            ('1254', 'service'),
            ('9999', 'service'),
        ):
            with self.subTest(code):
                diagnosis = self.diagnose({'respcd': code, 'resperr': 'no'})
                self.assertEqual((diagnosis.problem, diagnosis.code), (problem, code))
                self.assertEqual(diagnosis.message, 'no')

    def test_a_wrong_key_is_diagnosed(self):
        diagnosis = self.diagnose(Said({'respcd': '1108'}, key='THE-REAL-KEY'))
        self.assertEqual((diagnosis.problem, diagnosis.signed), ('client_key', False))
        self.assertEqual(self.diagnose(Said(rows(), key='THE-REAL-KEY')).problem, 'answer')

    def test_a_wrong_clock(self):
        for hours in (-1, 1):
            theirs = format_datetime(NOON - timedelta(hours=hours), usegmt=True)
            diagnosis = self.diagnose(Said(rows(), Date=theirs))
            self.assertEqual((diagnosis.problem, diagnosis.skew), ('clock', hours * 3600))
        self.assertIsNone(self.diagnose(Said(rows(), Date='no date')).skew)

    def test_a_wrong_address(self):
        self.assertEqual(self.diagnose(Said(b'<html>', 404)).problem, 'address')
        self.assertEqual(self.diagnose(Said(b'<html>', 200)).problem, 'answer')

    def test_no_network(self):
        self.assertEqual(self.diagnose(lambda _request: None).problem, 'network')
        with socket.socket() as taken:
            taken.bind(('127.0.0.1', 0))
            account = self.account(f'http://127.0.0.1:{taken.getsockname()[1]}')
            self.assertEqual(Gateway(account).test_connection().problem, 'network')
        account = self.account('https://gateway.invalid')
        self.assertEqual(Gateway(account).test_connection().problem, 'network')

    def test_too_busy_to_be_tested(self):
        self.assertEqual(self.diagnose(Said(b'', 429)).problem, 'busy')

    # ------------------------------------------------------------------
    # Time
    # ------------------------------------------------------------------

    def test_a_gateway_that_hangs(self):
        """The deadlines are minutes for nobody: a silent gateway is left in the time given."""
        with serving(lambda it: it.wait()) as server:
            gateway = Gateway(self.account(f'http://127.0.0.1:{server.port}'), clock=StillClock())
            started = time.monotonic()
            with self.assertRaises(AnswerLost) as caught:
                gateway._ask('POST', QUERY, {'page': 1}, (0.3, 5))
            self.assertEqual(caught.exception.reason, 'timeout')
            with self.assertRaises(AnswerLost):
                gateway._ask('POST', QUERY, {'page': 1}, (5, 0.3))
            self.assertLess(time.monotonic() - started, 3)

    def test_the_machines_own_clock(self):
        clock = SystemClock()
        self.assertLess(abs(datetime.now(timezone.utc) - clock.now()), timedelta(seconds=5))
        started = clock.monotonic()
        clock.sleep(0.02)
        self.assertGreaterEqual(clock.monotonic() - started, 0.02)
        self.assertLess(clock.monotonic() - started, 5)

    def test_a_gateway_waits_on_the_machines_own_clock(self):
        """Unless it is given another: an answer that is lost is asked for again after a pause."""
        with gateway_that(self.after(None)) as fake:
            started = time.monotonic()
            outcomes = Gateway(self.account(fake.url)).query([REFERENCE])
        self.assertIs(outcomes[REFERENCE].verdict, Verdict.DONE)
        self.assertGreaterEqual(time.monotonic() - started, 0.5)

    def test_secrets_stay_inside(self):
        with self.gateway(Said(PAID, sign='0' * 32)) as (gateway, _fake):
            self.assertNotIn(CLIENT_KEY, repr(gateway) + repr(gateway._account))
            with self.assertRaises(AnswerLost) as caught:
                gateway.pay(CPM)
        self.assertNotIn(CLIENT_KEY, repr(caught.exception))
        self.assertNotIn(urlencode({'auth_code': CPM.auth_code}), repr(caught.exception))
