"""What to do next about an attempt.

A step is decided from what is believed and from the time, and from nothing else. Whoever carries
it, a thread, another process after a crash, a till's page, tells what came of it as a testimony,
and the next step is decided anew.

    draft      send it; a terminal's refund first asks what is left; too old: drop it
    sent       wait for the answer; after the deadline, ask
    pending,   ask: many numbers at once where that can only bring good news, one alone where its
    unknown    absence would count; cancel what shall be cancelled, or has run out; give up after
               as long as QFPay repeats its notifications
    failed,    unless nothing ever left: look again, twice, and on until QFPay has answered
    cancelled
    done       fetch a card's digits; after a cancel look again, it may have come too late
"""

from dataclasses import dataclass
from enum import Enum

from .belief import Belief
from .clock import Moment
from .rules import APART, SETTLING, can_be_cancelled
from .states import AT_QFPAY, DONE, DRAFT, NOT_DONE
from .testimony import About, Attempt

#: a draft that is older was left behind: its customer is gone
FRESH = 60.0
#: between the end of the request, or the loss of its answer, and the first question
FIRST = 1.0
#: between two questions, while the first ones bring nothing
LONGEST_PAUSE = 15.0
#: so many questions are asked as early as their answer can count
_HURRIED = 6
#: between two questions about all codes of an account that are not yet paid
ROUND = 2.0
#: until the till has turned green and the card's digits are fetched
DETAILS = 0.2
#: after an end, QFPay is asked again
LOOKS: tuple[float, ...] = (180.0, 900.0)
#: and again after so long where it did not answer, at most
LONGEST_RETRY = 1800.0
#: for so long QFPay repeats what it has to tell (the protocol, B10), and something may be learned
HORIZON = 24.5 * 3600

_MINUTE, _HOUR = 60.0, 3600.0


class Do(str, Enum):
    """SEND it · ASK QFPay · CANCEL it · DROP what was never sent · GIVE_UP asking · REST."""

    SEND = 'send'
    ASK = 'ask'
    CANCEL = 'cancel'
    DROP = 'drop'
    GIVE_UP = 'give_up'
    REST = 'rest'


@dataclass(frozen=True, slots=True)
class Step:
    """What to do, and in how many seconds. `about`: of ASK, what to ask. `reason`: of DROP."""

    do: Do
    after: float = 0.0
    about: About = About.NOTHING
    reason: str = ''


_REST = Step(Do.REST)


def next_step(attempt: Attempt, belief: Belief, now: Moment, urgent: bool = False) -> Step:
    """What to do next.

    :param urgent: somebody wants QFPay to be asked now
    """
    if belief.state == DRAFT:
        step = _begin(attempt, belief, now)
    elif belief.state in AT_QFPAY:
        step = _follow(attempt, belief, now)
    else:
        step = _look_again(attempt, belief, now)
    if urgent and step.do is Do.REST and not belief.never_left:
        step = _ask(attempt)
    if urgent and step.do is Do.ASK:
        return Step(Do.ASK, 0.0, About.NUMBER if step.about is About.LIST else step.about)
    return step


def _ask(attempt: Attempt, after: float = 0.0) -> Step:
    """Ask about this attempt and no other."""
    about = About.ORIGINAL if attempt.looks_before else About.NUMBER
    return Step(Do.ASK, max(after, 0.0), about)


def _begin(attempt: Attempt, belief: Belief, now: Moment) -> Step:
    if abs(now.since(attempt.created)) > FRESH:
        return Step(Do.DROP, reason='too_late')
    if not attempt.looks_before or belief.left_before is not None:
        return Step(Do.SEND)
    if belief.asked:
        # should the answer to the refund get lost, nothing could tell whether it happened
        return Step(Do.DROP, reason='unreachable' if belief.unanswered else 'nothing_known')
    return _ask(attempt)


def _follow(attempt: Attempt, belief: Belief, now: Moment) -> Step:
    age = now.since(belief.sent or attempt.created)
    if age > HORIZON:
        return _REST if belief.gave_up else Step(Do.GIVE_UP)
    if _shall_be_cancelled(attempt, belief, now):
        return Step(Do.CANCEL)
    if belief.waiting and now.boot in belief.sent_on and not belief.is_over(now):
        return _ask(attempt, belief.patience - now.since(belief.sent_on[now.boot]))
    if belief.control == 'known':
        return _ask(attempt)
    if belief.control == 'needed':
        return Step(Do.ASK, _left_of(_pause(belief, now), belief, now), About.CONTROL)
    is_unsettled = belief.cancel_unsettled and not belief.waiting
    if is_unsettled or (belief.cancelled_there and not belief.asked):
        return _ask(attempt)
    if belief.ask_alone and not belief.unanswered:
        return _ask(attempt)
    if not attempt.by_terminal and not belief.is_over(now) and not _is_doubtful(belief):
        return Step(Do.ASK, _left_of(ROUND, belief, now), About.LIST)
    return _ask(attempt, _left_of(_pause(belief, now), belief, now))


def _is_doubtful(belief: Belief) -> bool:
    """Whether QFPay ended the request without any word of success: a denial decides."""
    return belief.ended is not None and not belief.promising and not belief.known


def _shall_be_cancelled(attempt: Attempt, belief: Belief, now: Moment) -> bool:
    if not can_be_cancelled(attempt, belief, now):
        return False
    if belief.cancel_wanted and not belief.cancel_told:
        return True
    # what has run out is cancelled once, so that nobody pays it late
    return belief.is_over(now) and not belief.cancel_told_late


def _left_of(pause: float, belief: Belief, now: Moment) -> float:
    """How much of a pause is left since the last question; nothing of it if a clock was set."""
    last = belief.asked_at or belief.since or now
    return _left(pause, now.since(last))


def _left(pause: float, age: float) -> float:
    left = pause - age
    return left if 0 < left <= pause else 0.0


def _pause(belief: Belief, now: Moment) -> float:
    """Seconds between two questions: few at first, and where one more answer decides."""
    age = now.since(belief.since or now)
    if _is_doubtful(belief) and 0 < belief.asked < _HURRIED:
        # the next moment in which a "not found" counts
        last = belief.asked_at or now
        return max(SETTLING - last.since(belief.ended_on.get(last.boot) or last), APART)
    if age > 2 * _HOUR:
        return 5 * _MINUTE
    if age > _HOUR / 4:
        return _MINUTE
    return min(FIRST + belief.asked, LONGEST_PAUSE)


def _look_again(attempt: Attempt, belief: Belief, now: Moment) -> Step:
    """After the end."""
    age = _since_the_end(belief, now)
    if _wants_details(attempt, belief):
        return _ask(attempt, _left(DETAILS, age))
    looks = _looks(belief)
    looked = _since_the_end(belief, belief.looked_at or belief.since or now)
    is_settled = belief.looks >= len(looks) and (not looks or looked >= looks[-1])
    if belief.never_left or (is_settled and not belief.by_manager):
        return _REST
    if age > HORIZON:
        is_agreed = is_settled and belief.state != DONE
        return _REST if is_agreed or belief.gave_up else Step(Do.GIVE_UP)
    due = [look for look in looks if look > looked]
    asked = belief.asked_at
    if belief.by_manager or not due or (asked and _since_the_end(belief, asked) >= due[0]):
        # it was asked, and did not answer
        return _ask(attempt, _left_of(_retry(belief), belief, now))
    return _ask(attempt, _left(due[0], age))


def _since_the_end(belief: Belief, moment: Moment) -> float:
    return moment.since(belief.since_on.get(moment.boot) or belief.since or moment)


def _wants_details(attempt: Attempt, belief: Belief) -> bool:
    is_sale_by_card = attempt.by_card and not attempt.is_refund
    is_known = belief.asked or belief.by_manager or belief.facts.get('card_last4')
    return belief.state == DONE and is_sale_by_card and not is_known


def _looks(belief: Belief) -> tuple[float, ...]:
    """When to ask again after the end, though it is known."""
    if belief.state in NOT_DONE:
        return LOOKS
    # a cancel that crosses a payment may give it back, also one for which nobody had asked
    may_be_undone = belief.cancel_wanted or belief.cancel_told
    return LOOKS[:1] if belief.state == DONE and may_be_undone else ()


def _retry(belief: Belief) -> float:
    return min(_MINUTE * 2.0 ** min(belief.asked, 5), LONGEST_RETRY)
