import contextlib
import json
from unittest import TestCase

from pos_payment_qfpay.qfpay.ecr.cipher import PosKey
from pos_payment_qfpay.qfpay.ecr.lenient import read
from pos_payment_qfpay.qfpay.ecr.link_http import HttpLink
from pos_payment_qfpay.qfpay.ecr.message import Inquiry, Payment, PrintReceipt, Refund
from pos_payment_qfpay.qfpay.ecr.terminal import Terminal
from pos_payment_qfpay.qfpay.errors import AnswerLost, NotSent
from pos_payment_qfpay.qfpay.outcome import Verdict
from pos_payment_qfpay.tests_pure.qfpay.bad_server import serving
from pos_payment_qfpay.tests_pure.qfpay.ecr.vectors import KEY16, KEY32, SYSSN

KEY = PosKey(KEY32)
REFERENCE = '5f0e4b5e-0001-1'
PAYMENT = Payment(1010, 'card_payment', REFERENCE, timeout=60)
PAID = {
    'respcd': '0000',
    'syssn': SYSSN,
    'out_trade_no': REFERENCE,
    'txamt': '1010',
    'txcurrcd': '344',
}
REFUNDED = {'respcd': '0000', 'syssn': '2', 'orig_syssn': SYSSN, 'txamt': '505'}
ROW = {'respcd': '0000', 'syssn': SYSSN, 'tradetp': 'payment', 'cancel': '0', 'txamt': '1010'}
NOT_THERE = "order doesn't exist"


class FakeLink:
    """A link to a terminal that gives the answers it was told, in their order."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def exchange(self, path, body, read_timeout, deadline):
        self.asked.append((path, read(KEY.decrypt(json.loads(body))), read_timeout, deadline))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def answer(respcd='6000', data=None, says=''):
    return json.dumps({'respcd': respcd, 'resperr': says, 'data': data}).encode()


class TestEcrTerminal(TestCase):
    def ask(self, method, command, *answers):
        return getattr(Terminal(FakeLink(*answers), KEY), method)(command)

    # ------------------------------------------------------------------
    # What is sent
    # ------------------------------------------------------------------

    def test_every_command_reaches_its_door(self):
        link = FakeLink(*[answer()] * 6)
        terminal = Terminal(link, KEY)
        terminal.pay(PAYMENT)
        terminal.refund(Refund(SYSSN, 505))
        terminal.print_receipt(PrintReceipt(SYSSN))
        terminal.print_summary()
        terminal.inquire(Inquiry(reference=REFERENCE))
        terminal.cancel()
        self.assertEqual(
            [(path, sent['content']['func_type']) for path, sent, *_times in link.asked],
            [
                ('/api/pos/trade', '1001'),
                ('/api/pos/cancel', '1002'),
                ('/api/pos/print_receipt', '3001'),
                ('/api/pos/transaction_info', '3002'),
                ('/api/pos/query_transaction', '4001'),
                ('/api/pos/cancel_request', '5001'),
            ],
        )

    def test_waiting_is_as_long_as_the_customer_may_take(self):
        link = FakeLink(*[answer()] * 3)
        terminal = Terminal(link, KEY)
        terminal.pay(PAYMENT)
        terminal.pay(Payment(1010, 'wx', REFERENCE, timeout=300))
        terminal.inquire(Inquiry(reference=REFERENCE))
        times = [times for _path, _sent, *times in link.asked]
        self.assertEqual(times, [[150, 160], [330, 340], [15, 25]])

    # ------------------------------------------------------------------
    # Payments
    # ------------------------------------------------------------------

    def test_paid(self):
        outcome = self.ask('pay', PAYMENT, answer(data=PAID))
        self.assertEqual(outcome.verdict, Verdict.DONE)
        self.assertEqual(outcome.syssn, SYSSN)
        self.assertEqual((outcome.amount_minor, outcome.currency), (1010, 'HKD'))

    def test_paid_without_a_name(self):
        """ "Done" that does not say what was done: anybody in the network can say so."""
        for name in ('syssn', 'out_trade_no', 'txamt'):
            with self.subTest(name):
                data = {key: value for key, value in PAID.items() if key != name}
                outcome = self.ask('pay', PAYMENT, answer(data=data))
                self.assertEqual(outcome.verdict, Verdict.UNKNOWN)

    def test_clear_text_from_a_terminal_that_encrypts(self):
        """It can say that nothing moved, but not that something did."""
        row = dict(ROW, out_trade_no=REFERENCE)
        for method, command, data in (
            ('pay', PAYMENT, PAID),
            ('refund', Refund(SYSSN, 505), REFUNDED),
            ('inquire', Inquiry(reference=REFERENCE), row),
        ):
            with self.subTest(method):
                clear = answer(data=data)
                terminal = Terminal(
                    FakeLink(clear, KEY.encrypt(clear.decode()).encode()), KEY, True
                )
                self.assertEqual(getattr(terminal, method)(command).verdict, Verdict.UNKNOWN)
                self.assertEqual(getattr(terminal, method)(command).verdict, Verdict.DONE)
        refused = Terminal(FakeLink(answer('4007')), KEY, True).pay(PAYMENT)
        self.assertEqual(refused.verdict, Verdict.FAILED)

    def test_paid_but_for_something_else(self):
        for change in (
            {'out_trade_no': 'another-1'},
            {'out_trade_no': REFERENCE + '1'},
            {'txamt': '1011'},
            {'txamt': 10},
            {'txamt': '101'},
            {'txamt': 0},
            {'txamt': '-1010'},
        ):
            with self.subTest(change):
                outcome = self.ask('pay', PAYMENT, answer(data=dict(PAID, **change)))
                self.assertEqual(outcome.verdict, Verdict.UNKNOWN)
                self.assertEqual(outcome.syssn, SYSSN)
                self.assertEqual((outcome.code, outcome.inner_code), ('6000', '0000'))
                said = {'out_trade_no': outcome.reference, 'txamt': outcome.amount_minor}
                for name, value in change.items():
                    self.assertEqual(str(said[name]), str(value))

    def test_not_paid(self):
        for code, verdict in [
            ('6000', Verdict.UNKNOWN),
            ('6001', Verdict.CANCELLED),
            ('6002', Verdict.UNKNOWN),
            ('4003', Verdict.FAILED),
            ('4005', Verdict.UNKNOWN),
            ('4006', Verdict.FAILED),
            ('4007', Verdict.FAILED),
            ('5001', Verdict.FAILED),
            ('7777', Verdict.UNKNOWN),
        ]:
            with self.subTest(code):
                self.assertEqual(self.ask('pay', PAYMENT, answer(code)).verdict, verdict)

    def test_refused_about_something_else(self):
        """A refusal that names another payment says nothing about this one."""
        raw = answer('6001', {'out_trade_no': 'another-1'})
        self.assertEqual(self.ask('pay', PAYMENT, raw).verdict, Verdict.UNKNOWN)

    def test_errors_come_through(self):
        for error in (NotSent('off'), AnswerLost('late', 'timeout')):
            with self.assertRaises(type(error)) as caught:
                self.ask('pay', PAYMENT, error)
            self.assertIs(caught.exception, error)
        with self.assertRaises(AnswerLost) as caught:
            self.ask('pay', PAYMENT, b'<html>')
        self.assertEqual(caught.exception.reason, 'unreadable')

    def test_asked_once_only(self):
        for error in (NotSent('off'), AnswerLost('late', 'timeout'), b'<html>', answer('6002')):
            link = FakeLink(error)
            with contextlib.suppress(NotSent, AnswerLost):
                Terminal(link, KEY).pay(PAYMENT)
            self.assertEqual(len(link.asked), 1)

    # ------------------------------------------------------------------
    # Refunds
    # ------------------------------------------------------------------

    def test_refunded(self):
        outcome = self.ask('refund', Refund(SYSSN, 505), answer(data=REFUNDED))
        self.assertEqual(outcome.verdict, Verdict.DONE)
        self.assertEqual((outcome.syssn, outcome.orig_syssn), ('2', SYSSN))
        self.assertEqual(outcome.trade_type, 'refund')
        outcome = self.ask('refund', Refund(SYSSN), answer(data=REFUNDED))
        self.assertEqual((outcome.verdict, outcome.amount_minor), (Verdict.DONE, 505))

    def test_refunded_but_something_else(self):
        for change in ({'orig_syssn': '1'}, {'txamt': '504'}, {'txamt': '5.06'}):
            with self.subTest(change):
                raw = answer(data=dict(REFUNDED, **change))
                outcome = self.ask('refund', Refund(SYSSN, 505), raw)
                self.assertEqual(outcome.verdict, Verdict.UNKNOWN)
                self.assertEqual(outcome.syssn, '2')

    def test_not_refunded(self):
        for code, verdict in [
            ('6000', Verdict.UNKNOWN),
            ('6001', Verdict.CANCELLED),
            ('6002', Verdict.UNKNOWN),
            ('4003', Verdict.FAILED),
        ]:
            with self.subTest(code):
                outcome = self.ask('refund', Refund(SYSSN, 505), answer(code))
                self.assertEqual(outcome.verdict, verdict)

    # ------------------------------------------------------------------
    # Inquiries
    # ------------------------------------------------------------------

    def test_inquiries(self):
        by_reference, by_number = Inquiry(reference=REFERENCE), Inquiry(syssn=SYSSN)
        for inquiry in (by_reference, by_number, Inquiry(SYSSN, REFERENCE)):
            with self.subTest(inquiry):
                for raw, verdict in [
                    (answer(data=ROW), Verdict.DONE),
                    (answer(data=dict(ROW, out_trade_no=REFERENCE)), Verdict.DONE),
                    (answer(data=dict(ROW, cancel=5)), Verdict.DONE),
                    (answer(data=dict(ROW, cancel=3)), Verdict.CANCELLED),
                    (answer(data=dict(ROW, respcd='1145')), Verdict.PENDING),
                    (answer(data=dict(ROW, respcd='1263')), Verdict.CANCELLED),
                    (answer(data=dict(ROW, respcd='1205')), Verdict.FAILED),
                    (answer('6002', says=NOT_THERE), Verdict.NOT_FOUND),
                    (answer('6002'), Verdict.UNKNOWN),
                    (answer('6001'), Verdict.UNKNOWN),
                    (answer('4007'), Verdict.UNKNOWN),
                    (answer(), Verdict.UNKNOWN),
                ]:
                    self.assertEqual(self.ask('inquire', inquiry, raw).verdict, verdict)

    def test_inquiries_answered_with_something_else(self):
        for inquiry, change in [
            (Inquiry(reference=REFERENCE), {'out_trade_no': 'another-1'}),
            (Inquiry(reference=REFERENCE), {'tradetp': 'refund'}),
            (Inquiry(syssn=SYSSN), {'syssn': '1'}),
        ]:
            for respcd in ('0000', '1145', '1205', '1263'):
                with self.subTest(change, respcd=respcd):
                    raw = answer(data=dict(ROW, respcd=respcd, **change))
                    self.assertEqual(self.ask('inquire', inquiry, raw).verdict, Verdict.UNKNOWN)

    def test_refusals_in_words_that_nobody_listed(self):
        """The terminal finds another payment meanwhile: so it would find this one."""

        def control():
            return Inquiry(syssn='9')

        known = answer(data=dict(ROW, syssn='9'))
        refusal, offline = answer('6002', says='failed'), AnswerLost('late', 'timeout')
        paid = answer(data=ROW)
        for answers, verdict in (
            ((refusal, known, refusal), Verdict.NOT_FOUND),
            ((refusal, answer(data=dict(ROW, syssn='9', cancel=3)), refusal), Verdict.NOT_FOUND),
            # nothing else is found either, or not for long
            ((refusal, refusal), Verdict.UNKNOWN),
            ((refusal, answer(data=dict(ROW, syssn='8'))), Verdict.UNKNOWN),
            ((refusal, known, paid), Verdict.DONE),
            # nothing has to be tried
            ((paid,), Verdict.DONE),
            ((answer('6002', says=NOT_THERE),), Verdict.NOT_FOUND),
            ((answer('6002', dict(ROW, respcd='1254')),), Verdict.UNKNOWN),
            ((answer('4007'),), Verdict.UNKNOWN),
        ):
            link = FakeLink(*answers)
            outcome = Terminal(link, KEY).inquire(Inquiry(reference=REFERENCE), control)
            self.assertEqual(outcome.verdict, verdict)
            self.assertFalse(link.answers)
        with self.assertRaises(AnswerLost):
            Terminal(FakeLink(refusal, offline), KEY).inquire(Inquiry(reference=REFERENCE), control)
        for nothing in (None, lambda: None):
            link = FakeLink(refusal)
            outcome = Terminal(link, KEY).inquire(Inquiry(reference=REFERENCE), nothing)
            self.assertEqual(outcome.verdict, Verdict.UNKNOWN)

    def test_a_refund_by_its_number(self):
        raw = answer(data=dict(ROW, syssn='2', tradetp='refund', origssn=SYSSN))
        outcome = self.ask('inquire', Inquiry(syssn='2'), raw)
        self.assertEqual((outcome.verdict, outcome.trade_type), (Verdict.DONE, 'refund'))

    # ------------------------------------------------------------------
    # Over the wire
    # ------------------------------------------------------------------

    def test_over_http(self):
        for key_text in (KEY16, KEY32):
            key = PosKey(key_text)

            def behaviour(it, key=key):
                _head, _, body = it.read_request().partition(b'\r\n\r\n')
                content = read(key.decrypt(json.loads(body)))['content']
                data = dict(PAID, out_trade_no=content['out_trade_no'], txamt=content['amt'] + '0')
                sealed = key.encrypt(json.dumps({'respcd': '6000', 'data': json.dumps(data)}))
                it.answer(json.dumps(sealed).encode())

            with serving(behaviour) as server:
                outcome = Terminal(HttpLink('127.0.0.1', server.port), key).pay(PAYMENT)
            self.assertEqual(outcome.verdict, Verdict.DONE)
            self.assertEqual(outcome.reference, REFERENCE)

    def test_silent_after_the_charge(self):
        with serving(lambda it: it.read_request()) as server:
            with self.assertRaises(AnswerLost):
                Terminal(HttpLink('127.0.0.1', server.port), KEY).pay(PAYMENT)
            self.assertEqual(len(server.conversations), 1)
