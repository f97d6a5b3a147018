"""Money as whole minor units. Nothing here or above multiplies a float by a hundred."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from .errors import InvalidRequest

# QFPay's txamt is a 32-bit integer (the protocol, B13).
LARGEST_MINOR = 2**31 - 1


def to_minor(amount: 'Decimal | float | str', decimals: int) -> int:
    """An amount in currency units as whole minor units.

    :param amount: in currency units; a float counts as its shortest decimal text
    :param decimals: decimal places of the currency: 2 for HKD, 0 for JPY
    :return: minor units, negative for a negative amount
    :raise InvalidRequest: not a number, finer than the currency's minor unit, or too large
    """
    try:
        minor = Decimal(str(amount)).scaleb(decimals)
        whole = int(minor)
    except (InvalidOperation, ValueError, OverflowError):
        raise InvalidRequest(f'{amount!r} is not an amount', field='amount') from None
    if whole != minor:
        raise InvalidRequest(f'{amount} is finer than the smallest coin', field='amount')
    if abs(whole) > LARGEST_MINOR:
        raise InvalidRequest(f'{amount} is too large', field='amount')
    return whole


def nearest_minor(amount: float, decimals: int) -> int:
    """The whole minor units nearest to an amount in currency units, for a limit.

    :param amount: in currency units; a float counts as its shortest decimal text
    :param decimals: decimal places of the minor unit
    """
    return int(Decimal(str(amount)).scaleb(decimals).to_integral_value(ROUND_HALF_UP))


def check_minor(amount: object) -> None:
    """Whether an amount in minor units can be sent: whole, above zero, not too large.

    Raises InvalidRequest.
    """
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise InvalidRequest('The amount must be a whole number of minor units.', 'amount')
    if not 0 < amount <= LARGEST_MINOR:
        raise InvalidRequest(f'The amount must be 1 to {LARGEST_MINOR} minor units.', 'amount')
