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

What a single word proves by itself stands in `proof`; what it does to what is believed stands here.
"""

from collections.abc import Iterable

from ..qfpay.ecr.codes import SUCCESS as TERMINAL_SUCCESS
from ..qfpay.openapi.catalogue import OTHER_WAY_CODES
from ..qfpay.openapi.catalogue import SUCCESS as GATEWAY_SUCCESS
from ..qfpay.outcome import Outcome, Verdict
from .belief import FACTS, Alarm, Belief
from .clock import Moment
from .proof import Evidence
from .states import (
    AT_QFPAY,
    CANCELLED,
    DONE,
    DRAFT,
    FAILED,
    NOT_DONE,
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
#: looks at what has ended are so many seconds apart, or they are the same look
LOOK_APART = 60.0
MOST_ALARMS = 20

_QUESTIONS = (About.NUMBER, About.LIST, About.ORIGINAL)


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
        if said.about is About.REQUEST:
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

    def _evidence(self, outcome: Outcome) -> Evidence:
        return Evidence(self.attempt, self.testimony, outcome)

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
        is_named = self._evidence(outcome).names_it()
        is_found = is_named and outcome.verdict in (Verdict.DONE, Verdict.CANCELLED)
        self.belief.control = 'known' if is_found and not in_the_clear else ''

    def _weigh_state(self, outcome: Outcome) -> None:
        belief = self.belief
        verdict = outcome.verdict
        evidence = self._evidence(outcome)
        contradiction = evidence.contradiction()
        is_of_another = self.testimony.taken and bool(outcome.syssn)
        if contradiction:
            self._alarm('contradiction', *contradiction)
        elif is_of_another:
            self._alarm('same_number', str(outcome.syssn))
        if contradiction or is_of_another:
            if self.testimony.about is About.REQUEST and belief.state == SENT:
                self._become(UNKNOWN)
            return
        if self._is_another_row(outcome):
            return
        if verdict is Verdict.DONE and not evidence.proves_done():
            self._doubt(evidence)
            verdict = Verdict.UNKNOWN
        if self.testimony.about is About.REQUEST:
            self._end_of_request(outcome)
        if evidence.names_no_trade(verdict):
            verdict = Verdict.NOT_FOUND if self.finds_others else Verdict.UNKNOWN
            belief.control = belief.control or 'needed'
        for number in outcome.also_paid:
            self._alarm('paid_twice_under_one_number', number, outcome.syssn or '')
        self._weigh_verdict(verdict, outcome)

    def _is_another_row(self, outcome: Outcome) -> bool:
        """QFPay may have several rows under one number of ours; the paid one counts."""
        own = self.belief.facts.get('syssn')
        is_paid = outcome.verdict is Verdict.DONE
        return bool(self.belief.state == DONE and own and outcome.syssn not in (None, own)) and (
            not is_paid
        )

    def _doubt(self, evidence: Evidence) -> None:
        """A *done* that proves nothing. What is wrong with it may be a manager's business."""
        if times := evidence.too_early():
            self._alarm('contradiction', *times)

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
            self._alarm('paid_twice_under_one_number', str(outcome.syssn), known_number)
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
        elif (
            verdict is Verdict.CANCELLED
            and not attempt.is_refund
            and self._evidence(outcome).names_it()
        ):
            self._become(REVERSED)
            self._alarm('reversed')
        else:
            self._alarm('denied_after_done')

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
        last = belief.looked_at or belief.since or now
        is_apart = abs(now.since(last)) >= LOOK_APART
        if self.testimony.about in (About.NUMBER, About.ORIGINAL) and is_apart:
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
        left = self._evidence(outcome).left()
        if left is None:
            return
        if belief.state == DRAFT:
            belief.left_before = left
            if left < attempt.amount_minor:
                # it could begin because more was thought to be left: something else took it
                self._alarm('contradiction', str(left), str(attempt.amount_minor))
        elif belief.left_before is None or self.testimony.superseded:
            if belief.state in NOT_DONE and not belief.by_manager:
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
