"""What is true about an attempt, from all that was said about it.

`judge` reads the testimonies in their order and weighs each. What a word proves:

    who says what                    what it proves
    -------------------------------  ------------------------------------------------------------
    *done*, answering the request    done, if it names reference, amount and QFPay's number; of a
                                     refund: a number other than the payment's, and the payment
    *done*, asked                    done, if it names QFPay's number, amount and kind, no other
                                     reference, and a time not before the request
    *done*, in a row or a notice     done, if reference, amount, currency and kind can be read
    *done*, from a till's page       as above, if it is sealed under the POS-KEY
    *done*, read generously, or      nothing
    naming another row's number
    anything in the clear from a     nothing: QFPay must be asked
    terminal that encrypts
    *so much is left*                of a terminal's refund: done or not found, against what was
                                     left before and nothing else; nothing once a later refund of
                                     the same payment was sent
    *cancelled*, answering           cancelled, once QFPay was asked and knows of nothing
    a *no* in a list of many         nothing: it is asked about alone
    *refused*, *expired*, *closed*   failed or cancelled; it is looked at again, twice
    *not found*                      nothing, of what QFPay has once known; failed after two that
                                     asked for this number alone, five seconds apart and after the
                                     request's own end, or three after its deadline
    never left, by who had to send   failed, for certain
    a manager's word                 done or failed by a manager, and never as QFPay's

Encryption is not authentication: it keeps strangers out of the talk, not out of the truth. Facts
that are absent, unreadable or impossible prove nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import NamedTuple

from ..qfpay.ecr.codes import NOT_CARRIED_OUT
from ..qfpay.ecr.codes import SUCCESS as TERMINAL_SUCCESS
from ..qfpay.openapi.catalogue import OTHER_WAY_CODES
from ..qfpay.openapi.catalogue import SUCCESS as GATEWAY_SUCCESS
from ..qfpay.outcome import Outcome, Verdict
from ..qfpay.times import HONG_KONG
from .clock import Moment
from .states import (
    AT_QFPAY,
    CANCELLED,
    DONE,
    DRAFT,
    FAILED,
    NOT_DONE,
    OPEN,
    PENDING,
    REVERSED,
    SENT,
    TRANSITIONS,
    UNKNOWN,
)
from .testimony import About, Attempt, Fact, Testimony, Witness

#: a wallet may be slow to tell its host: "not found" counts so many seconds after the request ended
SETTLING = 5.0
#: and two of them count when they are so many seconds apart
APART = 5.0
NEEDED = 2
NEEDED_AFTER_DEADLINE = 3
#: by so much, in seconds, QFPay's clock and ours may differ before its times prove nothing
CLOCKS_APART = 600.0
#: looks at what has ended are so many seconds apart, or they are the same look
LOOK_APART = 60.0
#: a till shows "cancelling" for so long, in seconds, without any word of QFPay's
CANCEL_PATIENCE = 30.0
MOST_ALARMS = 20

#: what an outcome tells beyond its verdict, and a row keeps
FACTS = (
    'syssn',
    'chnlsn',
    'pay_type',
    'card_scheme',
    'card_last4',
    'card_type',
    'wallet',
    'paid_at',
    'batch',
    'channel_reference',
    'trace',
)
_QUESTIONS = (About.NUMBER, About.LIST, About.ORIGINAL)


class Alarm(NamedTuple):
    """Why a manager must look. `what` names the situation; the others fill its sentence."""

    what: str
    heard: str = ''
    expected: str = ''


@dataclass(slots=True)
class Belief:
    """What is believed about an attempt.

    `since`: when `state` began; `source`: who brought it about, `by_manager`: and on nobody else's
    word; `reason`: of the end, where QFPay gave none. `never_left`: no byte of the request left,
    for certain. `sent`, `patience`, `claim`: as SENT told. `waiting`: a terminal is busy with it,
    and somebody waits for its answer. `ended`: when QFPay ended the request; `promising`: with a
    word of success, or of work in hand; `cancelled_there`: with "cancelled". `known`: QFPay has
    known it. `gave_up`: nobody asks any more.

    `cancel_wanted`, `cancel_told`: when somebody wanted it cancelled, and when QFPay was told so;
    `cancel_told_late`: after the deadline; `cancel_unsettled`: and was not asked since what came of
    it; `cancel_refused`: it said no. `ways_tried`: calls that were none for this order.

    `asked`, `asked_at`: how often QFPay was asked since the state began, and when last;
    `unanswered`: it did not answer then; `ask_alone`: what it said among others has to be asked for
    by itself. `looks`, `looked_at`: how often, and when last, it was asked in vain after the end.
    `not_found`, `not_found_at`: the same of denials that count. `control`: whether the terminal is
    'known' to find other payments, or that is 'needed', or there is 'none'. `left_before`: what was
    left of the payment before a refund.

    `since_on`, `sent_on`, `ended_on`: for each machine, the first moment since then in which it
    heard anything. What ends an attempt for its age is counted by one machine alone, from there:
    rather a little late than by a clock that somebody has set in between.
    """

    state: str = DRAFT
    since: Moment | None = None
    since_on: dict[str, Moment] = field(default_factory=dict)
    source: Witness | None = None
    by_manager: bool = False
    claim: int = 0
    sent: Moment | None = None
    sent_on: dict[str, Moment] = field(default_factory=dict)
    patience: float = 0.0
    waiting: bool = False
    ended: Moment | None = None
    ended_on: dict[str, Moment] = field(default_factory=dict)
    promising: bool = False
    cancelled_there: bool = False
    known: bool = False
    never_left: bool = False
    gave_up: bool = False
    cancel_wanted: Moment | None = None
    cancel_told: Moment | None = None
    cancel_told_late: bool = False
    cancel_unsettled: bool = False
    cancel_refused: bool = False
    ways_tried: int = 0
    left_before: int | None = None
    not_found: int = 0
    not_found_at: Moment | None = None
    control: str = ''
    asked: int = 0
    asked_at: Moment | None = None
    unanswered: bool = False
    ask_alone: bool = False
    looks: int = 0
    looked_at: Moment | None = None
    code: str = ''
    message: str = ''
    reason: str = ''
    code_to_scan: str = ''
    facts: dict[str, str] = field(default_factory=dict)
    alarms: list[Alarm] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def is_over(self, now: Moment) -> bool:
        """Whether nobody can be busy with the request any more: its deadline has passed."""
        first = self.sent_on.get(now.boot)
        return first is not None and now.since(first) > self.patience

    def is_cancelling(self, now: Moment) -> bool:
        """Whether a cashier has to wait for what comes of the wish to cancel."""
        return (
            self.is_open
            and self.cancel_wanted is not None
            and not self.cancel_refused
            and now.since(self.cancel_wanted) < CANCEL_PATIENCE
        )


def judge(attempt: Attempt, testimonies: Iterable[Testimony]) -> Belief:
    """What is believed, from all that was said, in the order in which it was heard."""
    belief = Belief()
    for testimony in testimonies:
        weigh(attempt, belief, testimony)
    return belief


def weigh(attempt: Attempt, belief: Belief, testimony: Testimony) -> None:
    """Add one more testimony to what is believed."""
    _Weighing(attempt, belief, testimony).weigh()


def can_be_cancelled(attempt: Attempt, belief: Belief, now: Moment) -> bool:
    """Whether QFPay can be told to end it, and nothing else would be hit.

    A terminal's cancel names no payment: it is for the job that certainly runs there. The gateway
    is told the number of the order.
    """
    if belief.state not in AT_QFPAY or belief.ways_tried >= attempt.ways_to_cancel:
        return False
    if attempt.by_terminal:
        return belief.state != UNKNOWN and belief.ended is None and not belief.is_over(now)
    return True


class _Weighing:
    """One testimony on the scales."""

    def __init__(self, attempt: Attempt, belief: Belief, testimony: Testimony) -> None:
        self.attempt = attempt
        self.belief = belief
        self.testimony = testimony
        #: just before this was asked, the terminal found another payment
        self.finds_others = belief.control == 'known'

    def weigh(self) -> None:
        said = self.testimony
        self._note_machine()
        if said.about is About.REQUEST and said.fact is not Fact.SENT:
            self.belief.waiting = False
        elif said.about in _QUESTIONS:
            self._was_asked()
        if said.fact is not None:
            self._weigh_fact(said.fact)
        elif said.outcome is not None:
            self._weigh_words(said.outcome)
        if said.again is not None:
            # the first one may have begun a state, in which the others were asked
            self._count_questions(said.times - 1, said.again)

    def _note_machine(self) -> None:
        belief, at = self.belief, self.testimony.at
        for first in (belief.since_on, belief.sent_on, belief.ended_on):
            if first and at.boot not in first:
                first[at.boot] = at

    def _was_asked(self) -> None:
        belief, said = self.belief, self.testimony
        self._count_questions(1, said.at)
        if said.about is About.NUMBER:
            belief.control = 'none' if belief.control == 'none' else ''
            belief.cancel_unsettled = False
            belief.ask_alone = belief.ask_alone and belief.unanswered

    def _count_questions(self, times: int, last: Moment) -> None:
        belief = self.belief
        belief.asked += times
        belief.asked_at = last
        belief.unanswered = self.testimony.fact is Fact.UNANSWERED

    def _become(self, state: str, reason: str = '') -> bool:
        """Take a state, if it may follow on the present one."""
        belief, said = self.belief, self.testimony
        if state not in TRANSITIONS[belief.state]:
            return False
        belief.state, belief.since, belief.source = state, said.at, said.witness
        belief.since_on = {said.at.boot: said.at}
        belief.by_manager = said.witness is Witness.MANAGER
        belief.asked, belief.asked_at, belief.ask_alone = 0, None, False
        belief.looks, belief.looked_at = 0, None
        belief.reason = reason
        return True

    def _alarm(self, what: str, heard: str = '', expected: str = '') -> None:
        alarm = Alarm(what, heard, expected)
        if alarm not in self.belief.alarms and len(self.belief.alarms) < MOST_ALARMS:
            self.belief.alarms.append(alarm)

    # ------------------------------------------------------------------
    # What is known without QFPay
    # ------------------------------------------------------------------

    def _weigh_fact(self, fact: Fact) -> None:
        belief, said = self.belief, self.testimony
        if fact is Fact.SENT:
            self._sent()
            self._become(SENT)
        elif fact is Fact.NEVER_LEFT:
            self._never_left()
        elif fact in (Fact.ANSWER_LOST, Fact.TAKEN_OVER):
            if belief.state == SENT:
                self._become(UNKNOWN, said.reason)
        elif fact is Fact.UNANSWERED:
            self._unanswered()
        elif fact is Fact.NO_CONTROL:
            belief.control = 'none'
        elif fact is Fact.WRONG_WAY:
            self._wrong_way()
        elif fact is Fact.CANCEL_WANTED:
            self._cancel_wanted()
        elif fact in (Fact.DONE, Fact.FAILED):
            if belief.state in AT_QFPAY:
                self._become(DONE if fact is Fact.DONE else FAILED)
        elif fact is Fact.LOOKED_AT:
            belief.alarms.clear()
        elif fact is Fact.STRANGE:
            self._alarm(said.reason, said.detail)
        elif fact is Fact.REWRITTEN:
            self._alarm('row_lost')
        elif fact is Fact.GIVEN_UP:
            belief.gave_up = True
            self._alarm('undecided')
        else:
            self._upgraded()

    def _sent(self) -> None:
        belief, said = self.belief, self.testimony
        belief.claim, belief.sent, belief.patience = said.claim, said.at, said.patience
        belief.sent_on = {said.at.boot: said.at}
        belief.waiting = self.attempt.by_terminal and said.fact is Fact.SENT

    def _never_left(self) -> None:
        """Who alone may send it says that it did not, and will not."""
        belief, said = self.belief, self.testimony
        if said.claim != belief.claim or belief.known:
            return
        if belief.state in OPEN:
            self._become(CANCELLED if said.reason == 'cancelled' else FAILED, said.reason)
        belief.never_left = belief.state in NOT_DONE

    def _unanswered(self) -> None:
        belief, said = self.belief, self.testimony
        if said.about is About.CANCEL:
            # what got lost was not accepted; whether it arrived, the payment's own end tells
            self._told_to_cancel(is_refused=True)
        elif said.about is About.CONTROL:
            belief.control = ''

    def _wrong_way(self) -> None:
        belief = self.belief
        belief.ways_tried += 1
        if belief.ways_tried >= self.attempt.ways_to_cancel:
            self._told_to_cancel(is_refused=True)

    def _told_to_cancel(self, is_refused: bool) -> None:
        """QFPay was told; what came of it, only a question tells (the protocol, B9)."""
        belief = self.belief
        belief.cancel_told, belief.cancel_unsettled = self.testimony.at, True
        belief.cancel_told_late = belief.is_over(self.testimony.at)
        belief.cancel_refused = is_refused

    def _cancel_wanted(self) -> None:
        belief, now = self.belief, self.testimony.at
        if not belief.is_open:
            return
        belief.cancel_wanted, belief.cancel_told, belief.ways_tried = now, None, 0
        belief.cancel_refused = not can_be_cancelled(self.attempt, belief, now)

    def _upgraded(self) -> None:
        """What a version without testimonies believed, and who had told it."""
        belief, said = self.belief, self.testimony
        self._sent()
        belief.state, belief.since, belief.source = said.reason, said.at, said.witness
        belief.since_on = {said.at.boot: said.at}
        belief.by_manager = said.witness is Witness.MANAGER
        if said.outcome is not None:
            self._take_facts(said.outcome)
            self._take_words(said.outcome)
            belief.left_before = said.outcome.refundable_minor
            belief.code_to_scan = said.outcome.qrcode
        belief.known = said.reason in (PENDING, DONE)

    # ------------------------------------------------------------------
    # What QFPay says
    # ------------------------------------------------------------------

    def _weigh_words(self, outcome: Outcome) -> None:
        said, belief = self.testimony, self.belief
        in_the_clear = said.seals and not outcome.signed
        if said.about is About.CANCEL:
            if in_the_clear:
                self._told_to_cancel(is_refused=True)
            else:
                self._weigh_cancel(outcome)
        elif said.about is About.CONTROL:
            self._weigh_control(outcome, in_the_clear)
        elif in_the_clear or (said.witness is Witness.PAGE and not outcome.signed):
            # whoever is in the network could have said so
            if said.about is About.REQUEST and belief.state == SENT:
                self._become(UNKNOWN, 'in_the_clear')
        elif said.about is About.ORIGINAL:
            self._weigh_left(outcome)
        else:
            self._weigh_state(outcome)

    def _weigh_cancel(self, outcome: Outcome) -> None:
        """The reply to a wish. It proves nothing about the money (the protocol, A12.3, B9)."""
        is_accepted = outcome.verdict is Verdict.DONE
        is_other_way = outcome.code in OTHER_WAY_CODES or outcome.code == GATEWAY_SUCCESS
        if not is_accepted and is_other_way and not self.attempt.by_terminal:
            self._wrong_way()
        else:
            self._told_to_cancel(is_refused=not is_accepted)

    def _weigh_control(self, outcome: Outcome, in_the_clear: bool) -> None:
        is_found = outcome.verdict in (Verdict.DONE, Verdict.CANCELLED) and self._names_it(outcome)
        self.belief.control = 'known' if is_found and not in_the_clear else ''

    def _weigh_state(self, outcome: Outcome) -> None:
        belief = self.belief
        verdict = outcome.verdict
        contradiction = self._contradiction(outcome)
        is_of_another = self.testimony.taken and bool(outcome.syssn)
        if contradiction:
            self._alarm('contradiction', *contradiction)
        elif is_of_another:
            self._alarm('same_number', outcome.syssn or '')
        if contradiction or is_of_another:
            if self.testimony.about is About.REQUEST and belief.state == SENT:
                self._become(UNKNOWN)
            return
        if self._is_another_row(outcome):
            return
        if verdict is Verdict.DONE and not self._proves_done(outcome):
            self._doubt(outcome)
            verdict = Verdict.UNKNOWN
        if self.testimony.about is About.REQUEST:
            self._end_of_request(outcome)
        if self._names_no_trade(outcome, verdict):
            verdict = Verdict.NOT_FOUND if self.finds_others else Verdict.UNKNOWN
            belief.control = belief.control or 'needed'
        for number in outcome.also_paid:
            self._alarm('paid_twice_under_one_number', number, outcome.syssn or '')
        self._weigh_verdict(verdict, outcome)

    def _doubt(self, outcome: Outcome) -> None:
        """A *done* that proves nothing. What is wrong with it may be a manager's business."""
        if self._names_all(outcome) and not self._was_made_after_the_request(outcome):
            made = outcome.traded_at or _day_of(outcome.syssn or '')
            asked = _in_hong_kong(self.attempt.created.at)
            self._alarm('contradiction', str(made)[:19], str(asked)[:19])

    def _weigh_verdict(self, verdict: Verdict, outcome: Outcome) -> None:
        belief = self.belief
        if verdict is Verdict.DONE:
            self._done(outcome)
        elif belief.state in (DONE, REVERSED):
            self._after_done(verdict, outcome)
        elif belief.state in NOT_DONE:
            self._after_the_end(verdict)
        elif belief.waiting and verdict not in (Verdict.PENDING, Verdict.UNKNOWN):
            return  # the terminal still waits for its customer, who may try again under this number
        elif self.testimony.about is About.LIST and verdict in (Verdict.FAILED, Verdict.CANCELLED):
            belief.ask_alone = True  # the paid row of the same number may stand on another page
        elif verdict is Verdict.NOT_FOUND:
            self._not_found()
        else:
            self._while_open(verdict, outcome)

    def _while_open(self, verdict: Verdict, outcome: Outcome) -> None:
        belief, said = self.belief, self.testimony
        if verdict is Verdict.UNKNOWN:
            belief.known = belief.known or bool(said.about is not About.REQUEST and outcome.syssn)
            if said.about is About.REQUEST:
                self._take_words(outcome)
                if belief.state in (DRAFT, SENT):
                    self._become(UNKNOWN)
            return
        self._take_words(outcome)
        if said.about is About.REQUEST and belief.cancelled_there:
            # "cancelled" may cross with an approval: one question settles it (A8, code 6001)
            self._become(UNKNOWN)
            return
        self._take_facts(outcome)
        if verdict is Verdict.PENDING:
            belief.known = True
            belief.code_to_scan = outcome.qrcode or outcome.pay_url or belief.code_to_scan
            if belief.state != PENDING:
                self._become(PENDING)
        else:
            self._become(CANCELLED if verdict is Verdict.CANCELLED else FAILED)

    def _end_of_request(self, outcome: Outcome) -> None:
        """QFPay has answered the request, so the terminal does not wait for anybody any more."""
        belief = self.belief
        belief.ended = at = self.testimony.at
        belief.ended_on = {at.boot: at}
        belief.promising = outcome.verdict in (Verdict.DONE, Verdict.PENDING) or outcome.code in (
            TERMINAL_SUCCESS,
            GATEWAY_SUCCESS,
        )
        belief.cancelled_there = outcome.verdict is Verdict.CANCELLED and self.attempt.by_terminal

    def _done(self, outcome: Outcome) -> None:
        belief = self.belief
        known_number = belief.facts.get('syssn')
        was_not_done, was_by_manager = belief.state in NOT_DONE, belief.by_manager
        if belief.state == DONE and known_number and outcome.syssn not in (None, known_number):
            self._alarm('paid_twice_under_one_number', outcome.syssn or '', known_number)
            return
        if belief.state == REVERSED:
            return
        if self._become(DONE):
            self._take_facts(outcome)
        else:
            self._fill_facts(outcome)
            if was_by_manager:
                belief.by_manager, belief.source = False, self.testimony.witness
            self._look()
        self._take_words(outcome)
        if was_not_done:
            self._alarm('manager_contradicted' if was_by_manager else 'done_after_all')

    def _after_done(self, verdict: Verdict, outcome: Outcome) -> None:
        """QFPay takes back that the money moved, or that it stayed."""
        belief, attempt = self.belief, self.attempt
        if belief.by_manager and verdict is Verdict.NOT_FOUND and self._is_denied():
            self._alarm('manager_contradicted')
        if belief.state == REVERSED or verdict not in (Verdict.CANCELLED, Verdict.FAILED):
            return
        self._look()
        if belief.by_manager:
            self._alarm('manager_contradicted')
        elif verdict is Verdict.CANCELLED and attempt.returned_minor:
            if attempt.returned_minor < attempt.amount_minor:
                self._alarm('denied_after_done')  # our own refunds did not do all of that
        elif verdict is Verdict.CANCELLED and not attempt.is_refund and self._names_it(outcome):
            self._become(REVERSED)
            self._alarm('reversed')
        else:
            self._alarm('denied_after_done')

    def _names_it(self, outcome: Outcome) -> bool:
        return outcome.strict and bool(outcome.syssn or outcome.reference)

    def _after_the_end(self, verdict: Verdict) -> None:
        """Asked again after it had failed or was cancelled, QFPay says no, or still works on it."""
        belief = self.belief
        if verdict is Verdict.PENDING:
            belief.known, belief.looks, belief.looked_at = True, 0, None
        elif verdict in (Verdict.FAILED, Verdict.CANCELLED):
            self._look()
            if belief.by_manager:
                belief.by_manager, belief.source = False, self.testimony.witness
        elif verdict is Verdict.NOT_FOUND:
            self._look()

    def _look(self) -> None:
        """Count a question after the end that brought no news."""
        belief, now = self.belief, self.testimony.at
        last = belief.looked_at or belief.since
        if self.testimony.about in (About.NUMBER, About.ORIGINAL) and (
            last is None or abs(now.since(last)) >= LOOK_APART
        ):
            belief.looks, belief.looked_at = belief.looks + 1, now

    def _not_found(self) -> None:
        """QFPay has no such payment, as far as it can tell by now."""
        belief = self.belief
        if belief.known or belief.state != UNKNOWN or self.testimony.about is About.LIST:
            return
        if belief.cancelled_there:
            self._become(CANCELLED)
        elif self._is_denied():
            self._become(FAILED)

    def _is_denied(self) -> bool:
        """Count one more *not found*, if it counts; whether these are enough."""
        belief, said = self.belief, self.testimony
        if said.about is About.LIST:
            return False
        asked = said.asked_at or said.at
        if belief.ended is not None and not belief.promising:
            first = belief.ended_on.get(asked.boot)
            counts = first is not None and asked.since(first) >= SETTLING
            needed = NEEDED
        else:
            counts, needed = belief.is_over(asked), NEEDED_AFTER_DEADLINE
        last = belief.not_found_at
        if not counts or (last is not None and abs(asked.since(last)) < APART):
            return False
        belief.not_found, belief.not_found_at = belief.not_found + 1, asked
        return belief.not_found >= needed

    # ------------------------------------------------------------------
    # A terminal's refund, which has no number of ours
    # ------------------------------------------------------------------

    def _weigh_left(self, outcome: Outcome) -> None:
        """What is left of the payment that it gives back (the protocol, A12.4)."""
        belief, attempt = self.belief, self.attempt
        left = self._left(outcome)
        if left is None:
            return
        if belief.state == DRAFT:
            belief.left_before = left
        elif belief.state == DONE:
            return
        elif belief.left_before is None or self._is_superseded():
            if belief.state in NOT_DONE:
                self._look()  # nothing tells any more, and asking on would not help
        elif left == belief.left_before - attempt.amount_minor:
            was_not_done, was_by_manager = belief.state in NOT_DONE, belief.by_manager
            self._become(DONE)
            if was_not_done:
                self._alarm('manager_contradicted' if was_by_manager else 'done_after_all')
        elif left == belief.left_before:
            if belief.state in NOT_DONE:
                self._look()
            else:
                self._not_found()

    def _is_superseded(self) -> bool:
        """A later refund of the same payment may have changed what is left."""
        return self.testimony.superseded or self.attempt.superseded

    def _left(self, outcome: Outcome) -> int | None:
        """What can still be given back, if that is what was said, and of this payment."""
        attempt = self.attempt
        if (
            not outcome.strict
            or outcome.verdict not in (Verdict.DONE, Verdict.CANCELLED)
            or outcome.syssn not in (None, attempt.original_syssn)
            or outcome.trade_type == 'refund'
            or _is_before(outcome.stated_at, attempt.created)
        ):
            return None
        left = outcome.refundable_minor
        if left is None and outcome.verdict is Verdict.CANCELLED:
            left = 0
        # what is more than this was said before another refund, and was recorded by somebody
        most = attempt.original_minor - self.testimony.returned_minor
        return left if left is not None and 0 <= left <= most else None

    # ------------------------------------------------------------------
    # What a word is about, and what it proves
    # ------------------------------------------------------------------

    def _contradiction(self, outcome: Outcome) -> tuple[str, str] | None:
        """What was named and what was asked for, where the two differ."""
        attempt = self.attempt
        pairs: list[tuple[object, object]] = [
            (outcome.amount_minor, attempt.amount_minor),
            (outcome.currency, attempt.currency),
            (outcome.merchant, attempt.merchant or outcome.merchant),
            (outcome.trade_type, attempt.kind),
        ]
        if attempt.is_refund:
            pairs.insert(0, (outcome.orig_syssn, attempt.original_syssn))
        if not attempt.looks_before:
            # the terminal gives a refund a number of its own
            pairs.insert(0, (outcome.reference, attempt.reference))
        for heard, expected in pairs:
            if heard is not None and heard != expected:
                return str(heard), str(expected)
        return None

    def _is_another_row(self, outcome: Outcome) -> bool:
        """QFPay may have several rows under one number of ours; the paid one counts."""
        own = self.belief.facts.get('syssn')
        is_paid = outcome.verdict is Verdict.DONE
        return bool(self.belief.state == DONE and own and outcome.syssn not in (None, own)) and (
            not is_paid
        )

    def _names_no_trade(self, outcome: Outcome, verdict: Verdict) -> bool:
        """A terminal refuses to tell, in words that nobody has listed (the protocol, A12.5)."""
        return (
            self.attempt.by_terminal
            and self.testimony.about is About.NUMBER
            and verdict is Verdict.UNKNOWN
            and outcome.code == NOT_CARRIED_OUT
            and outcome.syssn is None
            and not outcome.inner_code
        )

    def _proves_done(self, outcome: Outcome) -> bool:
        """Whether a *done* that contradicts nothing names enough to be believed."""
        attempt, said = self.attempt, self.testimony
        number = outcome.syssn
        if not outcome.strict or not number or number == attempt.original_syssn:
            return False
        if not attempt.by_terminal or said.witness is Witness.NOTIFICATION:
            return None not in (outcome.reference, outcome.amount_minor) and (
                said.about is About.REQUEST or None not in (outcome.currency, outcome.trade_type)
            )
        if said.about is About.REQUEST:
            named = outcome.orig_syssn if attempt.is_refund else outcome.reference
            return named is not None and (attempt.is_refund or outcome.amount_minor is not None)
        return self._names_all(outcome) and self._was_made_after_the_request(outcome)

    def _names_all(self, outcome: Outcome) -> bool:
        """Whether a terminal that was asked names what it must of a payment."""
        return (
            outcome.strict
            and self.testimony.about in (About.NUMBER, About.LIST)
            and self.attempt.by_terminal
            and not self.attempt.is_refund
            and bool(outcome.syssn)
            and None not in (outcome.amount_minor, outcome.trade_type)
        )

    def _was_made_after_the_request(self, outcome: Outcome) -> bool:
        """By the trade's own time; else by the day that QFPay's number begins with."""
        if outcome.traded_at is not None:
            return not _is_before(outcome.traded_at, self.attempt.created)
        day = _day_of(outcome.syssn or '')
        asked = self.attempt.created.at - timedelta(seconds=CLOCKS_APART)
        return day is not None and day >= _in_hong_kong(asked).date()

    # ------------------------------------------------------------------
    # What is kept of a word
    # ------------------------------------------------------------------

    def _take_facts(self, outcome: Outcome) -> None:
        for name in FACTS:
            if value := getattr(outcome, name):
                self.belief.facts[name] = value

    def _fill_facts(self, outcome: Outcome) -> None:
        """What is known of a payment that is done stays; what was not yet known is added."""
        for name in FACTS:
            if value := getattr(outcome, name):
                self.belief.facts.setdefault(name, value)

    def _take_words(self, outcome: Outcome) -> None:
        """QFPay's code and words. The newest count; a *not found* explains nothing."""
        inner = outcome.inner_code
        code = outcome.code if inner in ('', GATEWAY_SUCCESS) else inner
        if code:
            self.belief.code, self.belief.message = code, outcome.message


def _is_before(told: datetime | None, asked: Moment) -> bool:
    """Whether QFPay's time lies before ours, by more than two clocks may differ."""
    if told is None:
        return False
    moment = told.astimezone(timezone.utc).replace(tzinfo=None)
    return (moment - asked.at).total_seconds() < -CLOCKS_APART


def _in_hong_kong(at: datetime) -> datetime:
    return at.replace(tzinfo=timezone.utc).astimezone(HONG_KONG)


def _day_of(syssn: str) -> date | None:
    """QFPay's numbers begin with the day on which they were given."""
    try:
        return datetime.strptime(syssn[:8], '%Y%m%d').date()
    except ValueError:
        return None
