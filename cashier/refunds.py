"""What QFPay gives back, and for how long (the protocol, B12, E1 and E2).

QFPay has the last word; what it would certainly refuse is not sent.
"""

from datetime import timedelta, timezone

from ..qfpay.openapi.catalogue import FPS, PAY_TYPES
from ..qfpay.times import in_hong_kong


def is_given_back(paid):
    """Whether QFPay gives such a payment back at all.

    :param paid: its `qfpay.transaction`, with the system's rights
    """
    facts = paid._channel_facts()
    if facts.refundable or paid.provider == 'ecr':
        return facts.refundable
    return facts.wallet == FPS and paid.account_id.fps_refunds


def days_to_refund(paid):
    """For how many days it can be given back; None where nobody has told.

    The wallet counts that the customer took, where the till did not choose one.
    """
    used = PAY_TYPES.get(paid.pay_type) or paid._channel_facts()
    return used.refund_days


def last_day(paid):
    """The last day on which it can be given back, in Hong Kong; None where nobody has told."""
    days = days_to_refund(paid)
    paid_at = paid.decided_at or paid.sent_at
    if days is None or not paid_at:
        return None
    return _day(paid_at) + timedelta(days=days)


def is_too_late(paid):
    """Whether the time is over in which it could be given back."""
    last = last_day(paid)
    return last is not None and _day(paid.env.cr.now()) > last


def _day(at):
    return in_hong_kong(at.replace(tzinfo=timezone.utc)).date()
