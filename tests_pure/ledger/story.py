"""What a shop hears about one attempt to move money, told as a story, for tests.

Everything happens at noon of the 15th of January 2026 in Hong Kong, on one machine, unless a test
says otherwise. What QFPay says here is whole and true: a test leaves out or changes what it is
about.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from unittest import TestCase

from pos_payment_qfpay.ledger.belief import Alarm
from pos_payment_qfpay.ledger.clock import Moment
from pos_payment_qfpay.ledger.rules import judge
from pos_payment_qfpay.ledger.steps import Step, next_step
from pos_payment_qfpay.ledger.testimony import About, Attempt, Fact, Testimony, Witness
from pos_payment_qfpay.qfpay.outcome import Outcome, Verdict
from pos_payment_qfpay.qfpay.times import HONG_KONG

NOON = Moment(datetime(2026, 1, 15, 4), 'till-server', 1000.0)
PATIENCE = 150.0

#: numbers of QFPay's begin with the day
NUMBER = '20260115120001000000000001'
OTHER_NUMBER = '20260115120002000000000002'
ORIGINAL = '20260112090000000000000009'

# ----------------------------------------------------------------------------
# What was asked for
# ----------------------------------------------------------------------------

#: by card, at a terminal
SALE = Attempt(
    reference='S-1-0001',
    kind='payment',
    provider='ecr',
    channel='card_payment',
    amount_minor=1010,
    currency='HKD',
    created=NOON,
)
#: by a wallet, at a terminal
WALLET = replace(SALE, channel='wx')
#: a code that the till shows
CODE = replace(SALE, provider='openapi', channel='800201', merchant='SHOP')
#: a customer's code that the till scans
SCAN = replace(CODE, channel='800108')
#: a code that nothing can end but time
PAYME = replace(CODE, channel='805801')
#: gives 5.05 of a payment of 10.10 back, at the terminal
REFUND = replace(
    SALE,
    reference='S-1-0001-R1',
    kind='refund',
    amount_minor=505,
    original_syssn=ORIGINAL,
    original_minor=1010,
)
#: the same at the gateway
GATEWAY_REFUND = replace(REFUND, provider='openapi', channel='800201', merchant='SHOP')
PAYMENTS = (SALE, WALLET, CODE, SCAN, PAYME)
EVERYTHING = (*PAYMENTS, REFUND, GATEWAY_REFUND)

# ----------------------------------------------------------------------------
# What QFPay says
# ----------------------------------------------------------------------------


def at(moment, seconds=0.0):
    """What QFPay's clock shows so many seconds after a moment of ours."""
    told = moment.at + timedelta(seconds=seconds) + timedelta(hours=8)
    return told.replace(tzinfo=HONG_KONG)


def done(attempt, **changes):
    """All that QFPay tells of money that moved, whatever it was asked."""
    number = OTHER_NUMBER if attempt.is_refund else NUMBER
    told = {
        'verdict': Verdict.DONE,
        'code': '6000' if attempt.by_terminal else '0000',
        'inner_code': '0000',
        'message': 'success',
        'reference': attempt.reference,
        'syssn': number,
        'orig_syssn': attempt.original_syssn,
        'amount_minor': attempt.amount_minor,
        'currency': attempt.currency,
        'trade_type': attempt.kind,
        'merchant': attempt.merchant,
        'traded_at': at(attempt.created, 5),
        'signed': True,
        'strict': True,
    }
    return Outcome(**{**told, **changes})


def says(verdict, code='', **changes):
    """Any other word of QFPay's: sealed, or signed, and strict."""
    return Outcome(**{'verdict': verdict, 'code': code, 'signed': True, 'strict': True, **changes})


PENDING = says(Verdict.PENDING, '0000', syssn=NUMBER, qrcode='weixin://pay')
FAILED = says(Verdict.FAILED, '6000', inner_code='1205', syssn=NUMBER, message='declined')
CLOSED = says(Verdict.CANCELLED, '6000', inner_code='1264', syssn=NUMBER, message='closed')
#: a terminal's 6001, and 6002
CANCELLED_THERE = says(Verdict.CANCELLED, '6001', message='cancelled')
ERROR = says(Verdict.UNKNOWN, '6002', message='error')
UNKNOWN = says(Verdict.UNKNOWN, '6000', inner_code='1254', message='busy')
NOT_FOUND = says(Verdict.NOT_FOUND, '6002', message='order does not exist')
#: the answer to an inquiry, in words that nobody has listed
STRANGE_REFUSAL = says(Verdict.UNKNOWN, '6002', message='failed')


def left(amount, **changes):
    """What a terminal says of the payment that a refund gives back."""
    told = {
        'verdict': Verdict.DONE if amount else Verdict.CANCELLED,
        'code': '6000',
        'inner_code': '0000',
        'syssn': ORIGINAL,
        'amount_minor': 1010,
        'trade_type': 'payment',
        'refundable_minor': amount,
        'signed': True,
        'strict': True,
    }
    return Outcome(**{**told, **changes})


# ----------------------------------------------------------------------------
# The story
# ----------------------------------------------------------------------------


class Story:
    """What was said about an attempt, in its order; `seals`: its terminal is known to encrypt."""

    def __init__(self, attempt=SALE, seals=False, now=None):
        self.attempt = attempt
        self.seals = seals
        self.now = now or attempt.created
        self.said = []
        self._belief = None

    @property
    def belief(self):
        if self._belief is None:
            self._belief = judge(self.attempt, self.said)
        return self._belief

    def step(self, urgent=False, **changes):
        attempt = replace(self.attempt, **changes)
        return next_step(attempt, self.belief, self.now, urgent)

    def after(self, seconds):
        """So many seconds later."""
        self.now = self.now.plus(seconds)
        return self

    def set_clock(self, seconds):
        """Somebody sets the clock of the database; the machine's own goes on as it did."""
        self.now = replace(self.now, at=self.now.at + timedelta(seconds=seconds))
        return self

    def elsewhere(self, boot, tick=77.0):
        """What follows is heard by another machine, or by this one after a restart."""
        self.now = replace(self.now, boot=boot, tick=tick)
        return self

    def hear(self, witness, about=About.NOTHING, said=None, **more):
        """One more testimony: `said` is QFPay's words or somebody else's fact."""
        what = {'fact': said} if isinstance(said, Fact) else {'outcome': said}
        more = {'seals': self.seals, **what, **more}
        self.said.append(Testimony(at=self.now, witness=witness, about=about, **more))
        self._belief = None
        return self

    def upgraded(self, state, witness=Witness.SERVER, outcome=None, **more):
        """What a version without testimonies believed, and had heard."""
        more = {'reason': state, 'outcome': outcome, **more}
        return self.hear(witness, About.NOTHING, Fact.UPGRADED, **more)

    # Who says it, and about what.

    def sent(self, patience=PATIENCE, **more):
        return self.hear(Witness.SERVER, About.REQUEST, Fact.SENT, patience=patience, **more)

    def never_left(self, reason='network', **more):
        return self.hear(Witness.SERVER, About.REQUEST, Fact.NEVER_LEFT, reason=reason, **more)

    def lost(self, reason='timeout', **more):
        return self.hear(Witness.SERVER, About.REQUEST, Fact.ANSWER_LOST, reason=reason, **more)

    def taken_over(self):
        return self.hear(Witness.SERVER, About.REQUEST, Fact.TAKEN_OVER)

    def answer(self, outcome, **more):
        return self.hear(Witness.ANSWER, About.REQUEST, outcome, **more)

    def asked(self, outcome, about=None, **more):
        if about is None:
            about = About.ORIGINAL if self.attempt.looks_before else About.NUMBER
        return self.hear(Witness.INQUIRY, about, outcome, **more)

    def asked_in_a_list(self, outcome, **more):
        return self.asked(outcome, About.LIST, **more)

    def unanswered(self, about=None, **more):
        if about is None:
            about = About.ORIGINAL if self.attempt.looks_before else About.NUMBER
        return self.hear(Witness.SERVER, about, Fact.UNANSWERED, **more)

    def control(self, said, **more):
        witness = Witness.SERVER if isinstance(said, Fact) else Witness.INQUIRY
        return self.hear(witness, About.CONTROL, said, **more)

    def notified(self, outcome, **more):
        return self.hear(Witness.NOTIFICATION, About.NOTHING, outcome, **more)

    def page(self, outcome, about=About.REQUEST, **more):
        return self.hear(Witness.PAGE, about, outcome, **more)

    def cancel(self):
        return self.hear(Witness.CASHIER, About.NOTHING, Fact.CANCEL_WANTED)

    def told_to_cancel(self, said, **more):
        witness = Witness.SERVER if isinstance(said, Fact) else Witness.ANSWER
        return self.hear(witness, About.CANCEL, said, **more)

    def manager(self, fact):
        return self.hear(Witness.MANAGER, About.NOTHING, fact)

    def server(self, fact, **more):
        return self.hear(Witness.SERVER, About.NOTHING, fact, **more)


ACCEPTED = says(Verdict.DONE, '6000')
REFUSED = says(Verdict.FAILED, '6002')


class LedgerCase(TestCase):
    """Tests of what is believed and done."""

    def assertBelieved(self, story, state, *alarms):
        """This is the state, and a manager is called for these reasons and no others."""
        self.assertEqual(story.belief.state, state)
        self.assertEqual([alarm.what for alarm in story.belief.alarms], list(alarms))

    def assertAlarm(self, story, what, heard='', expected=''):
        self.assertIn(Alarm(what, heard, expected), story.belief.alarms)

    def assertStep(self, story, do, after=0.0, about=About.NOTHING, reason='', urgent=False):
        step = story.step(urgent)
        self.assertEqual(step, Step(do, step.after, about, reason))
        self.assertAlmostEqual(step.after, after, 6)
