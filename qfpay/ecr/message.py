"""The six commands of a terminal, from typed fields to the bytes of a request.

A command is a flat set of named values, its *content*. On its way out it is wrapped three times:

    content    {'func_type': 4001, 'orderId': '12345678'}
    canonical  {func_type=4001,orderId='12345678'}                  sorted, texts in quotes
    envelope   {content:<canonical>, digest:'<MD5 of canonical + key>'}
    body       "<Base64 of the encrypted envelope>"                 a JSON string

(the protocol, A3 and A4). Nothing is escaped anywhere in it: a quote or a comma in a value would
end that value on the terminal. So no text leaves here that holds more than letters, digits, `_`,
`.` and `-`, and a command that could not be told safely cannot be made: every command checks its
own fields when it is created and raises InvalidRequest.

Callers give money as an integer in minor units. On the wire `amt` is in major units, a number in
its shortest form (10.1), and `refund_amount` is a text with two decimals ('10.10').
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from ..errors import InvalidRequest
from ..money import check_minor
from .cipher import PosKey

Value = str | int | Decimal | None
Content = dict[str, Value]

#: the only currency of the terminals, Hong Kong dollar, has two decimals
DECIMALS = 2
MAX_TIMEOUT = 3600
#: PayMe ends a payment by itself after this many seconds (the protocol, A6.1)
PAYME_TIMEOUT = 120
#: a terminal that is told nothing waits so long for a card
DEFAULT_TIMEOUT = 120
#: what the terminal may need beyond the customer's time: the bank, the printer
PROCESSING_TIME = 30
#: commands without a customer answer at once
SHORT_WAIT = 15

SCAN_TYPES: Mapping[str, str] = {
    'QRCODE_PAY': 'the terminal shows a code, the customer scans it',
    'SCAN_PAY': "the terminal scans the customer's code",
}
CAMERAS: Mapping[int, str] = {0: 'back', 1: 'front'}


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to pay at the terminal (the protocol, A7.1).

    `card`: a bank card is put on the terminal, and a refund on the same day must be for the whole
    amount. `refundable`: the terminal can give the money back. `pay_types`: the codes that
    answers use for it. `scan_types`: the ways of scanning it can be asked for. `refund_days`: for
    so many days it can be given back (E1); None where nobody has told.
    """

    label: str
    card: bool
    refundable: bool
    pay_types: tuple[str, ...]
    scan_types: tuple[str, ...] = ()
    refund_days: int | None = None


BOTH_WAYS = ('QRCODE_PAY', 'SCAN_PAY')
CHANNELS: Mapping[str, Channel] = {
    'card_payment': Channel('Visa/Mastercard', True, True, ('802808',)),
    'unionpay_card': Channel('UnionPay card', True, True, ('806708',)),
    'amex_card': Channel('American Express', True, True, ('806808',)),
    'wx': Channel('WeChat Pay', False, True, ('800208', '800201'), BOTH_WAYS, 365),
    'alipay': Channel('Alipay', False, True, ('800108', '800101'), BOTH_WAYS, 365),
    'payme': Channel('PayMe', False, True, ('805808', '805801'), BOTH_WAYS, 90),
    'union': Channel('UnionPay QuickPass', False, True, ('800708', '800701'), BOTH_WAYS),
    'fps': Channel('FPS', False, False, ('802001',), ('QRCODE_PAY',), 29),
    'octopus': Channel('Octopus', False, False, ('803708',)),
}

_SAFE_TEXT = re.compile(r'[A-Za-z0-9_.-]*')
_NUMBER_LENGTH = 128


def _check_number(field: str, value: object) -> None:
    """A reference or transaction number: 1 to 128 harmless characters."""
    name = 'The reference' if field == 'reference' else "QFPay's number"
    if not isinstance(value, str) or not _SAFE_TEXT.fullmatch(value):
        raise InvalidRequest(f'{name} may hold only letters, digits and "_.-".', field)
    if not 1 <= len(value) <= _NUMBER_LENGTH:
        raise InvalidRequest(f'{name} must be 1 to {_NUMBER_LENGTH} characters long.', field)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _major(amount_minor: int) -> Decimal:
    return Decimal(amount_minor).scaleb(-DECIMALS)


@dataclass(frozen=True, slots=True)
class Command:
    """What all commands share: a number, a path for wires that have paths, a content."""

    FUNC_TYPE: ClassVar[int]
    PATH: ClassVar[str]

    @property
    def patience(self) -> float:
        """Seconds after which an answer cannot be expected any more."""
        return SHORT_WAIT

    def content(self) -> Content:
        """The command's own fields. Absent options are left out, never sent as null."""
        return {'func_type': self.FUNC_TYPE}


@dataclass(frozen=True, slots=True)
class Payment(Command):
    """Take a payment (1001).

    `amount_minor`: cents, above zero. `channel`: a key of CHANNELS. `reference`: our number,
    unique for ever; the only handle on this payment when its answer is lost. `timeout`: seconds
    for the customer, None leaves it to the terminal; PayMe is held to 120. `camera_id`: 0 back,
    1 front. `scan_type`: a key of SCAN_TYPES, for channels that scan. `move_to_back`: the terminal
    goes back to its home screen by itself.
    """

    FUNC_TYPE: ClassVar[int] = 1001
    PATH: ClassVar[str] = '/api/pos/trade'

    amount_minor: int
    channel: str
    reference: str
    timeout: int | None = None
    camera_id: int | None = None
    scan_type: str | None = None
    move_to_back: bool = True

    def __post_init__(self) -> None:
        check_minor(self.amount_minor)
        if not isinstance(self.channel, str) or self.channel not in CHANNELS:
            raise InvalidRequest('There is no such channel on a QFPay terminal.', 'channel')
        _check_number('reference', self.reference)
        if self.timeout is not None and (
            not _is_int(self.timeout) or not 0 < self.timeout <= MAX_TIMEOUT
        ):
            raise InvalidRequest(f'The timeout must be 1 to {MAX_TIMEOUT} seconds.', 'timeout')
        if self.camera_id is not None and (
            not _is_int(self.camera_id) or self.camera_id not in CAMERAS
        ):
            raise InvalidRequest('The camera must be 0 (back) or 1 (front).', 'camera_id')
        if self.scan_type is not None and (self.scan_type not in CHANNELS[self.channel].scan_types):
            raise InvalidRequest('This channel cannot be scanned in this way.', 'scan_type')

    @property
    def customer_time(self) -> int | None:
        """Seconds the customer really gets, None when the terminal decides."""
        if self.timeout is not None and self.channel == 'payme':
            return min(self.timeout, PAYME_TIMEOUT)
        return self.timeout

    @property
    def patience(self) -> float:
        return max(self.customer_time or 0, DEFAULT_TIMEOUT) + PROCESSING_TIME

    def content(self) -> Content:
        content: Content = {
            'amt': _major(self.amount_minor),
            'channel': self.channel,
            'func_type': self.FUNC_TYPE,
            'out_trade_no': self.reference,
        }
        if self.customer_time is not None:
            content['payment_timeout'] = self.customer_time
            if CHANNELS[self.channel].card:
                # the pages disagree which of the two a card obeys: say the same in both
                content['wait_card_timeout'] = self.customer_time
        if self.camera_id is not None:
            content['camera_id'] = self.camera_id
        if self.scan_type is not None:
            content['scan_type'] = self.scan_type
        if self.move_to_back:
            content['moveToBack'] = 1
        return content


@dataclass(frozen=True, slots=True)
class Refund(Command):
    """Give money back (1002). There is no reference of ours in it.

    `syssn`: QFPay's number of the payment. `amount_minor`: cents, None for everything that can
    still be given back.
    """

    FUNC_TYPE: ClassVar[int] = 1002
    PATH: ClassVar[str] = '/api/pos/cancel'

    syssn: str
    amount_minor: int | None = None

    def __post_init__(self) -> None:
        _check_number('syssn', self.syssn)
        if self.amount_minor is not None:
            check_minor(self.amount_minor)

    @property
    def patience(self) -> float:
        return DEFAULT_TIMEOUT + PROCESSING_TIME

    def content(self) -> Content:
        content: Content = {
            # whoever stands at the terminal must not change what is booked here
            'allow_modify_flag': 0,
            'func_type': self.FUNC_TYPE,
            'moveToBack': 1,
            'orderId': self.syssn,
        }
        if self.amount_minor is not None:
            content['refund_amount'] = f'{_major(self.amount_minor):.{DECIMALS}f}'
        return content


@dataclass(frozen=True, slots=True)
class PrintReceipt(Command):
    """Print the receipt of a payment once more (3001), by QFPay's number."""

    FUNC_TYPE: ClassVar[int] = 3001
    PATH: ClassVar[str] = '/api/pos/print_receipt'

    syssn: str

    def __post_init__(self) -> None:
        _check_number('syssn', self.syssn)

    def content(self) -> Content:
        return {'func_type': self.FUNC_TYPE, 'orderId': self.syssn}


@dataclass(frozen=True, slots=True)
class PrintSummary(Command):
    """Print the summary of the terminal's transactions (3002)."""

    FUNC_TYPE: ClassVar[int] = 3002
    PATH: ClassVar[str] = '/api/pos/transaction_info'


@dataclass(frozen=True, slots=True)
class Inquiry(Command):
    """Ask what became of a payment (4001), by QFPay's number, by our reference, or by both."""

    FUNC_TYPE: ClassVar[int] = 4001
    PATH: ClassVar[str] = '/api/pos/query_transaction'

    syssn: str | None = None
    reference: str | None = None

    def __post_init__(self) -> None:
        if self.syssn is None and self.reference is None:
            raise InvalidRequest("An inquiry needs QFPay's number or our reference.")
        if self.syssn is not None:
            _check_number('syssn', self.syssn)
        if self.reference is not None:
            _check_number('reference', self.reference)

    def content(self) -> Content:
        content: Content = {'func_type': self.FUNC_TYPE}
        if self.syssn is not None:
            content['orderId'] = self.syssn
        if self.reference is not None:
            content['out_trade_no'] = self.reference
        return content


@dataclass(frozen=True, slots=True)
class CancelRequest(Command):
    """Cancel whatever the terminal is doing now (5001). The command names no payment."""

    FUNC_TYPE: ClassVar[int] = 5001
    PATH: ClassVar[str] = '/api/pos/cancel_request'


def _render(name: str, value: object) -> str:
    if value is None:
        return "''"
    if isinstance(value, str):
        if not _SAFE_TEXT.fullmatch(value):
            raise InvalidRequest(f'{name} holds a character that the protocol cannot carry.')
        return f"'{value}'"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, Decimal) and value.is_finite():
        # normalize() drops trailing zeros, 'f' keeps 100 from becoming 1E+2
        return format(value.normalize(), 'f')
    raise InvalidRequest(f'{name} must be a text, a whole number or a finite decimal.')


def canonical(content: Mapping[str, Value]) -> str:
    """The canonical text of a content: sorted by name, texts in single quotes, numbers bare.

    Raises InvalidRequest for a name or value that the form cannot carry.
    """
    for name in content:
        if not name or not _SAFE_TEXT.fullmatch(name):
            raise InvalidRequest('A field name holds a character that the protocol cannot carry.')
    pairs = (f'{name}={_render(name, content[name])}' for name in sorted(content))
    return '{' + ','.join(pairs) + '}'


def envelope(content: Mapping[str, Value], key: PosKey) -> str:
    """The text that is encrypted: the canonical content and its digest."""
    text = canonical(content)
    return f"{{content:{text}, digest:'{key.digest(text)}'}}"


def body(content: Mapping[str, Value], key: PosKey) -> bytes:
    """The body of a request: a JSON string that holds the encrypted envelope in Base64."""
    return json.dumps(key.encrypt(envelope(content, key))).encode('ascii')
