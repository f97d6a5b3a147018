"""What may still be charged on an order, and refunded of a payment. All amounts in minor units."""

from collections.abc import Iterable

from .states import DONE, OPEN

#: payments that a till may have under way; a queue is shorter
MOST_UNDER_WAY = 25

#: what counts against a limit: money that moved, and money that may yet
ENGAGED = (*OPEN, DONE)


def may_be_charged(due: int, engaged: Iterable[int], amount: int) -> bool:
    """Whether an order has room for one more attempt.

    :param due: the order's total; negative for an order that gives money back
    :param engaged: the amounts of its attempts that are open or done, refunds negative
    :param amount: of the attempt that is to begin, negative for a refund
    """
    together = sum(engaged) + amount
    return together <= max(due, 0) if amount > 0 else together >= min(due, 0)


def refundable(paid: int, engaged: Iterable[int]) -> int:
    """What may still be refunded of a payment.

    :param paid: its amount
    :param engaged: the amounts of its refunds that are open or done
    """
    return max(paid - sum(engaged), 0)
