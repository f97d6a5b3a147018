"""Which fields a command may carry, and their types (the protocol, A6).

The checks are strict on purpose: what a real terminal might forgive is refused here, so that a
till's mistake is seen on the bench and not in a shop.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

from .wire import Refusal

PATHS = {
    1001: '/api/pos/trade',
    1002: '/api/pos/cancel',
    3001: '/api/pos/print_receipt',
    3002: '/api/pos/transaction_info',
    4001: '/api/pos/query_transaction',
    5001: '/api/pos/cancel_request',
}
NAMES = {
    1001: 'payment',
    1002: 'refund',
    3001: 'print receipt',
    3002: 'print summary',
    4001: 'inquiry',
    5001: 'cancel request',
}
SCAN_TYPES = ('QRCODE_PAY', 'SCAN_PAY')
PLAIN_TEXT = re.compile(r'[A-Za-z0-9_.-]{1,128}\Z')
MAJOR_UNITS = re.compile(r'[0-9]{1,8}(\.[0-9]{1,2})?\Z')
PAYME_LONGEST = 120


@dataclass(frozen=True)
class Channel:
    """A way to pay (the protocol, A7.1): its pay type per mode, and whether it can be refunded."""

    label: str
    present: str = ''
    scanned: str = ''
    shown: str = ''
    scheme: str = ''
    refundable: bool = True

    @property
    def is_card(self):
        return bool(self.scheme)

    @property
    def is_wallet(self):
        return bool(self.shown)


CHANNELS = {
    'card_payment': Channel('Visa / Mastercard', present='802808', scheme='VISA'),
    'unionpay_card': Channel('UnionPay card', present='806708', scheme='UNIONPAY'),
    'amex_card': Channel('American Express', present='806808', scheme='AMEX'),
    'wx': Channel('WeChat Pay', scanned='800208', shown='800201'),
    'alipay': Channel('Alipay', scanned='800108', shown='800101'),
    'payme': Channel('PayMe', scanned='805808', shown='805801'),
    'union': Channel('UnionPay QuickPass', scanned='800708', shown='800701'),
    'fps': Channel('FPS', shown='802001', refundable=False),
    'octopus': Channel('Octopus', present='803708', refundable=False),
}


@dataclass(frozen=True)
class Command:
    """One checked request. Fields that a command does not know stay ``None``.

    ``amount_minor`` is in cents; for a refund ``None`` means all that is left to give back.
    """

    func_type: int
    content: dict
    amount_minor: int | None = None
    channel: str | None = None
    reference: str | None = None
    order_id: str | None = None
    scan_type: str | None = None
    camera_id: int | None = None
    payment_timeout: int | None = None
    wait_card_timeout: int | None = None
    move_to_back: bool = False


class Fields:
    """Hands out the fields of one content, each checked; tells in the end which were not asked for.

    An empty text or null counts as absent (the protocol, A3).
    """

    def __init__(self, content):
        self._content = {
            name: value for name, value in content.items() if value is not None and value != ''
        }
        self._known = {'func_type'}

    def take(self, name, *, required=False):
        self._known.add(name)
        value = self._content.get(name)
        if value is None and required:
            raise Refusal('4006', f'bad parameters: {name} is missing')
        return value

    def text(self, name, *, required=False, choices=None):
        value = self.take(name, required=required)
        if value is None:
            return None
        if not isinstance(value, str) or not PLAIN_TEXT.match(value):
            raise Refusal('4006', f'bad parameters: {name} is no plain text')
        if choices is not None and value not in choices:
            raise Refusal('4006', f'bad parameters: {name} {value} is not known')
        return value

    def whole(self, name, *, least=None, choices=None):
        value = self.take(name)
        if value is None:
            return None
        if not isinstance(value, Decimal) or value != value.to_integral_value():
            raise Refusal('4006', f'bad parameters: {name} is no whole number')
        if choices is not None and value not in choices:
            raise Refusal('4006', f'bad parameters: {name} is out of range')
        if least is not None and value < least:
            raise Refusal('4006', f'bad parameters: {name} is too small')
        return int(value)

    def refuse_others(self):
        others = sorted(set(self._content) - self._known)
        if others:
            raise Refusal('4006', f'bad parameters: {", ".join(others)} not known here')


def read_command(content, path=None):
    """Check a content and make a command of it.

    :param path: the HTTP path it came by, ``None`` where the wire has no paths
    :raises Refusal: 4006 with the field at fault
    """
    func_type = _func_type(content)
    if path is not None and PATHS[func_type] != path:
        raise Refusal('4006', f'bad parameters: func_type {func_type} does not belong to {path}')
    fields = Fields(content)
    values = READERS[func_type](fields)
    fields.refuse_others()
    return Command(func_type=func_type, content=content, **values)


def _func_type(content):
    value = content.get('func_type')
    # A numeric text is let through; the digest has already checked that it was signed as one.
    if isinstance(value, str) and re.fullmatch('[0-9]{4}', value):
        value = Decimal(value)
    if not isinstance(value, Decimal) or value not in PATHS:
        raise Refusal('4006', 'bad parameters: func_type is missing or unknown')
    return int(value)


def _payment(fields):
    channel = fields.text('channel', required=True, choices=CHANNELS)
    payment_timeout = fields.whole('payment_timeout', least=1)
    if channel == 'payme' and (payment_timeout or 0) > PAYME_LONGEST:
        raise Refusal('4006', f'bad parameters: PayMe waits at most {PAYME_LONGEST} seconds')
    return {
        'amount_minor': _amount(fields.take('amt', required=True)),
        'channel': channel,
        'reference': fields.text('out_trade_no'),
        'scan_type': fields.text('scan_type', choices=SCAN_TYPES),
        'camera_id': fields.whole('camera_id', choices=(0, 1)),
        'payment_timeout': payment_timeout,
        'wait_card_timeout': fields.whole('wait_card_timeout', least=1),
        'move_to_back': bool(fields.whole('moveToBack', choices=(0, 1))),
    }


def _amount(value):
    if not isinstance(value, Decimal):
        raise Refusal('4006', 'bad parameters: amt is no number')
    return _minor('amt', format(value, 'f'))


def _minor(name, text):
    if not MAJOR_UNITS.match(text):
        raise Refusal('4006', f'bad parameters: {name} is no amount with at most two decimals')
    minor = int(Decimal(text) * 100)
    if not minor:
        raise Refusal('4006', f'bad parameters: {name} must be more than zero')
    return minor


def _refund(fields):
    amount = fields.take('refund_amount')
    if amount is not None and not isinstance(amount, str):
        raise Refusal('4006', 'bad parameters: refund_amount is no text')
    fields.whole('allow_modify_flag', choices=(0, 1))
    return {
        'order_id': fields.text('orderId', required=True),
        'amount_minor': None if amount is None else _minor('refund_amount', amount),
        'move_to_back': bool(fields.whole('moveToBack', choices=(0, 1))),
    }


def _receipt(fields):
    return {'order_id': fields.text('orderId', required=True)}


def _inquiry(fields):
    order_id, reference = fields.text('orderId'), fields.text('out_trade_no')
    if order_id is None and reference is None:
        raise Refusal('4006', 'bad parameters: orderId or out_trade_no is needed')
    return {'order_id': order_id, 'reference': reference}


def _nothing(fields):
    return {}


READERS = {
    1001: _payment,
    1002: _refund,
    3001: _receipt,
    3002: _nothing,
    4001: _inquiry,
    5001: _nothing,
}
