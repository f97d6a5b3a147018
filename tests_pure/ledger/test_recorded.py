"""Somebody in the shop's network records what a terminal says, and says it again.

A terminal's seal is AES with one initialisation vector and without a check of what was sealed. So
recorded messages can be played again, and blocks of 16 bytes can be cut from one and pasted into
another; where two pieces meet, one block becomes nonsense, and the rest is as it was. The messages
here are sealed with the real cipher and read as in a shop: by `exchange`, then by the rules. The
thief has everything that can be heard: refusals, old payments of the same amount, and what was said
of this very payment before it was paid.
"""

import base64
import json
from dataclasses import replace
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from pos_payment_qfpay.ledger.testimony import About
from pos_payment_qfpay.qfpay.ecr.cipher import PosKey
from pos_payment_qfpay.qfpay.ecr.exchange import outcome
from pos_payment_qfpay.qfpay.ecr.message import Inquiry, Payment, Refund
from pos_payment_qfpay.qfpay.errors import AnswerLost
from pos_payment_qfpay.qfpay.outcome import Verdict
from pos_payment_qfpay.tests_pure.ledger.story import (
    NUMBER,
    ORIGINAL,
    OTHER_NUMBER,
    REFUND,
    SALE,
    LedgerCase,
    Story,
)

ANY = settings(max_examples=500, deadline=None, database=None, derandomize=True)
KEYS = tuple(
    map(
        PosKey, ('my_qfpay_pos_key', 'f46b1f08bec1f39104792cc7', 'f46b1f08bec1f39104792cc79ec9aacd')
    )
)
BLOCK = 16
LAST_WEEK, TODAY = '2026-01-08 11:58:00', '2026-01-15 12:00:05'
PAYMENT = Payment(SALE.amount_minor, SALE.channel, SALE.reference)
ASKED = Inquiry(reference=SALE.reference)
#: what may be answered with recorded words: command, attempt, to what it is an answer
QUESTIONS = (
    (PAYMENT, SALE, About.REQUEST),
    (ASKED, SALE, About.NUMBER),
    (Refund(ORIGINAL, REFUND.amount_minor), REFUND, About.REQUEST),
)


def message(code, data=None, words='success', as_text=True):
    """The text that a terminal seals."""
    inner = json.dumps(data) if data and as_text else data
    return json.dumps({'respcd': code, 'respmsg': words, 'resperr': '', 'data': inner or ''})


def trade(number, reference, code='0000', amount=1010, **more):
    """The block that answers a payment."""
    return {
        'mchntnm': 'Kam Lung Herbal Tea',
        'sysdtm': TODAY,
        'syssn': number,
        'out_trade_no': reference,
        'opuser': 'Chan Tai Man at counter 1',
        'txamt': str(amount),
        'txcurrcd': '344',
        'busicd': '802808',
        'chnlsn': '4200000000000000001',
        'respcd': code,
        'resmsg': 'OK',
        **more,
    }


def row(number, code='0000', amount=1010, made=LAST_WEEK, reference=None, **more):
    """The block that answers an inquiry."""
    return {
        'server_time': TODAY,
        'cancel': '0',
        'syssn': number,
        **({'out_trade_no': reference} if reference else {}),
        'tradetp': 'payment',
        'sysdtm': made,
        'opuser': 'Chan Tai Man at counter 1',
        'txcurrcd': '344',
        'allow_refund_amt': str(amount),
        'txamt': str(amount),
        'busicd': '802808',
        'respcd': code,
        **more,
    }


OLD = [f'202601081158000000000000{number:02}' for number in range(6)]
#: nothing in here says that today's payment was made
HEARD = (
    *(
        message('6002', words=f'Transaction failed ({number}) please try again')
        for number in range(4)
    ),
    message('4003', words='denied'),
    message('6001', words='cancelled by the customer'),
    message('6002', trade(NUMBER, SALE.reference, '1205'), 'declined'),
    message('6000', trade(NUMBER, SALE.reference, '1143'), 'waiting'),
    message('6000', row(NUMBER, '1143', made=TODAY, reference=SALE.reference)),
    message('6000', row(NUMBER, '1145', made=TODAY)),
    message('6000', row(NUMBER, '1145', made=TODAY), as_text=False),
    *(message('6000', trade(number, f'OLD-{number}', sysdtm=LAST_WEEK)) for number in OLD[:3]),
    *(message('6000', row(number)) for number in OLD[3:]),
    message('6000', row(OLD[0], reference='OLD-0'), as_text=False),
    message('6000', row(ORIGINAL, amount=505, allow_refund_amt='0', cancel='3')),
    message('6000', trade(ORIGINAL, 'OLD-9', amount=505, sysdtm=LAST_WEEK)),
    message('6000', trade(OLD[1], 'x' * 32, amount=505, orig_syssn=OLD[2], sysdtm=LAST_WEEK)),
)


def blocks(text, key):
    sealed = base64.b64decode(key.encrypt(text))
    return [sealed[at : at + BLOCK] for at in range(0, len(sealed), BLOCK)]


RECORDED = {key: [blocks(text, key) for text in HEARD] for key in KEYS}

numbers = st.integers(0, len(HEARD) - 1)
places = st.integers(0, 29)


class TestRecorded(LedgerCase):
    def hear(self, raw, key, command, attempt, about):
        """What is believed once this was heard; None for what cannot be read."""
        try:
            found = outcome(command, raw, key)
        except AnswerLost:
            return None, None
        story = Story(attempt, seals=True).sent().after(5)
        if about is About.REQUEST:
            story.answer(found)
        else:
            story.lost().after(5).asked(found, about)
        return found, story.belief

    def assertNeverDone(self, raw, key):
        """Whatever this is played as an answer to; answers how often a reader was taken in."""
        fooled = 0
        for command, attempt, about in QUESTIONS:
            found, belief = self.hear(raw, key, command, attempt, about)
            if belief is not None:
                self.assertNotEqual(belief.state, 'done', found)
                fooled += found.verdict is Verdict.DONE and not found.strict
        return fooled

    # ------------------------------------------------------------------
    # Cut and pasted
    # ------------------------------------------------------------------

    @ANY
    @given(
        key=st.sampled_from(KEYS),
        begin=st.tuples(numbers, places),
        middle=st.lists(st.tuples(numbers, places, places), max_size=3),
        end=st.tuples(numbers, places),
    )
    def test_no_cut_and_pasted_message_pays(self, key, begin, middle, end):
        """It begins as some message does and ends as some message does, or nobody would read it."""
        recorded = RECORDED[key]
        pasted = recorded[begin[0]][: begin[1]]
        for number, start, length in middle:
            pasted = pasted + recorded[number][start : start + length]
        pasted = pasted + recorded[end[0]][end[1] :]
        self.assertNeverDone(base64.b64encode(b''.join(pasted)), key)

    def test_no_two_messages_pay_wherever_they_are_cut(self):
        """What was said of this payment before it was paid, and the end of an old one."""
        fooled = 0
        for key, step in zip(KEYS, (5, 7, 9), strict=True):
            begins = [blocks(text, key) for text in HEARD if NUMBER in text]
            ends = [blocks(text, key) for text in HEARD if '0000\\"' in text]
            for begin, end in product(begins, ends):
                for at, back in product(range(4, len(begin), step), range(1, len(end), step)):
                    raw = base64.b64encode(b''.join(begin[:at] + end[-back:]))
                    fooled += self.assertNeverDone(raw, key)
        # a reader alone is taken in again and again
        self.assertGreater(fooled, 20)

    # ------------------------------------------------------------------
    # Played again as they were
    # ------------------------------------------------------------------

    def sealed(self, text, key=KEYS[0]):
        return key.encrypt(text).encode()

    def test_no_recorded_message_pays_as_it_is(self):
        for key in KEYS:
            for text in HEARD:
                with self.subTest(text):
                    self.assertNeverDone(self.sealed(text, key), key)

    def test_last_weeks_inquiry_answer_for_the_same_amount(self):
        for data in (
            row(OLD[0]),
            row(OLD[0], made=''),
            row(OLD[0], server_time=LAST_WEEK),
        ):
            raw = self.sealed(message('6000', data))
            found, belief = self.hear(raw, KEYS[0], ASKED, SALE, About.NUMBER)
            self.assertEqual((found.verdict, found.strict, found.signed), ('done', True, True))
            self.assertEqual(belief.state, 'unknown')
            self.assertEqual([alarm.what for alarm in belief.alarms], ['contradiction'])

    def test_another_sale_of_today_for_the_same_amount(self):
        """Its number pays its own row, and no other."""
        raw = self.sealed(message('6000', row(OTHER_NUMBER, made=TODAY)))
        found = outcome(ASKED, raw, KEYS[0])
        story = Story(SALE, seals=True).sent().lost().after(5).asked(found, taken=True)
        self.assertBelieved(story, 'unknown', 'same_number')

    def test_another_sales_answer(self):
        raw = self.sealed(message('6000', trade(OTHER_NUMBER, 'S-1-0002')))
        _found, belief = self.hear(raw, KEYS[0], PAYMENT, SALE, About.REQUEST)
        self.assertEqual(belief.state, 'unknown')
        _found, belief = self.hear(raw, KEYS[0], ASKED, SALE, About.NUMBER)
        self.assertEqual(belief.state, 'unknown')

    def test_a_refund_answered_by_its_payments_own_recorded_answers(self):
        refund = replace(REFUND, amount_minor=1010)
        for data in (
            trade(ORIGINAL, 'OLD-9'),
            trade(ORIGINAL, 'OLD-9', orig_syssn=ORIGINAL),
            row(ORIGINAL),
            row(ORIGINAL, origssn=ORIGINAL),
        ):
            raw = self.sealed(message('6000', data))
            command = Refund(ORIGINAL, 1010)
            found, belief = self.hear(raw, KEYS[0], command, refund, About.REQUEST)
            self.assertEqual((found.verdict, found.strict), ('done', True))
            self.assertEqual(belief.state, 'unknown')

    def test_what_was_said_of_this_payment_pays_it(self):
        """The thief is not the only one who speaks."""
        for data, command, about in (
            (trade(NUMBER, SALE.reference), PAYMENT, About.REQUEST),
            (row(NUMBER, made=TODAY), ASKED, About.NUMBER),
            (row(NUMBER, made=TODAY, reference=SALE.reference), ASKED, About.NUMBER),
        ):
            for key in KEYS:
                raw = self.sealed(message('6000', data), key)
                _found, belief = self.hear(raw, key, command, SALE, about)
                self.assertEqual(belief.state, 'done')
