"""Where Odoo's payment line and what QFPay did do not fit together."""

from dataclasses import dataclass

from ..qfpay.outcome import TradeType
from .belief import Alarm
from .states import CANCELLED, DONE, FAILED, REVERSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The payment line of an attempt.

    `exists`: nobody has removed it. `is_cancelled`: its order is. `agrees`: it carries the ledger's
    amount. `is_recorded`: it counts as paid without QFPay's word. `paid_twice`: the reference of
    another attempt that moved the same money.
    """

    exists: bool
    is_cancelled: bool = False
    agrees: bool = True
    is_recorded: bool = False
    paid_twice: str = ''


def strange(kind: TradeType, state: str, line: Line) -> list[Alarm]:
    """Why a manager must look, from what stands on both sides of an attempt that has ended."""
    found = []
    if state == DONE:
        if line.paid_twice:
            what = 'refunded_twice' if kind == 'refund' else 'paid_twice'
            found.append(Alarm(what, line.paid_twice))
        if not line.exists:
            found.append(Alarm('line_gone'))
        elif line.is_cancelled:
            found.append(Alarm('order_cancelled'))
        elif not line.agrees:
            found.append(Alarm('booked_otherwise'))
    elif state in (FAILED, CANCELLED, REVERSED) and line.is_recorded:
        found.append(Alarm('recorded_unpaid'))
    return found
