"""What one word of QFPay's is about, and what it proves by itself.

Encryption is not authentication: it keeps strangers out of the talk, not out of the truth. So a
word proves what it names, held against what was asked for. Facts that are absent, unreadable or
impossible prove nothing.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from ..qfpay.ecr.codes import NOT_CARRIED_OUT
from ..qfpay.outcome import Outcome, Verdict
from ..qfpay.times import HONG_KONG
from .clock import Moment
from .testimony import About, Attempt, Testimony, Witness

#: by so much, in seconds, QFPay's clock and ours may differ before its times prove nothing
CLOCKS_APART = 600.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """One word of QFPay's, held against what was asked for."""

    attempt: Attempt
    testimony: Testimony
    outcome: Outcome

    # ------------------------------------------------------------------
    # What it is about
    # ------------------------------------------------------------------

    def contradiction(self) -> tuple[str, str] | None:
        """What was named and what was asked for, where the two differ."""
        attempt, outcome = self.attempt, self.outcome
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

    def names_it(self) -> bool:
        """Whether it says of which payment it speaks."""
        return self.outcome.strict and bool(self.outcome.syssn or self.outcome.reference)

    def names_no_trade(self, verdict: Verdict) -> bool:
        """A terminal refuses to tell, in words that nobody has listed (the protocol, A12.5)."""
        outcome = self.outcome
        return (
            self.attempt.by_terminal
            and self.testimony.about is About.NUMBER
            and verdict is Verdict.UNKNOWN
            and outcome.code == NOT_CARRIED_OUT
            and outcome.syssn is None
            and not outcome.inner_code
        )

    # ------------------------------------------------------------------
    # That money moved
    # ------------------------------------------------------------------

    def proves_done(self) -> bool:
        """Whether a *done* that contradicts nothing names enough to be believed."""
        attempt, said, outcome = self.attempt, self.testimony, self.outcome
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
        return self.names_all() and self.was_made_after_the_request()

    def names_all(self) -> bool:
        """Whether a terminal that was asked names what it must of a payment."""
        outcome = self.outcome
        return (
            outcome.strict
            and self.testimony.about in (About.NUMBER, About.LIST)
            and self.attempt.by_terminal
            and not self.attempt.is_refund
            and bool(outcome.syssn)
            and None not in (outcome.amount_minor, outcome.trade_type)
        )

    def was_made_after_the_request(self) -> bool:
        """By the trade's own time; else by the day that QFPay's number begins with."""
        traded_at, created = self.outcome.traded_at, self.attempt.created
        if traded_at is not None:
            return not _is_before(traded_at, created)
        day = _day_of(self.outcome.syssn)
        asked = created.at - timedelta(seconds=CLOCKS_APART)
        return day is not None and day >= _in_hong_kong(asked).date()

    def too_early(self) -> tuple[str, str] | None:
        """When it was made and when asked for, if that alone keeps it from being this one."""
        if not self.names_all() or self.was_made_after_the_request():
            return None
        made = self.outcome.traded_at or _day_of(self.outcome.syssn)
        asked = _in_hong_kong(self.attempt.created.at)
        return str(made)[:19], str(asked)[:19]

    # ------------------------------------------------------------------
    # What is left of a payment
    # ------------------------------------------------------------------

    def left(self) -> int | None:
        """What can still be given back, if that is what was said, and of this payment."""
        attempt, outcome = self.attempt, self.outcome
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


def _is_before(told: datetime | None, asked: Moment) -> bool:
    """Whether QFPay's time lies before ours, by more than two clocks may differ."""
    if told is None:
        return False
    moment = told.astimezone(timezone.utc).replace(tzinfo=None)
    return (moment - asked.at).total_seconds() < -CLOCKS_APART


def _in_hong_kong(at: datetime) -> datetime:
    return at.replace(tzinfo=timezone.utc).astimezone(HONG_KONG)


def _day_of(syssn: str | None) -> date | None:
    """QFPay's numbers begin with the day on which they were given; no number tells none."""
    try:
        return datetime.strptime(str(syssn)[:8], '%Y%m%d').date()
    except ValueError:
        return None
