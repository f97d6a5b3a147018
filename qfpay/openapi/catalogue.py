"""What QFPay's numbers mean, as tables: pay types, currencies, return codes, customers' codes.

Tables and the few functions that read them, nothing else. The texts in them are plain English for
logs and for whoever reads this; sentences for cashiers are made elsewhere, from the codes.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum

from ..errors import InvalidRequest
from ..outcome import TradeType, Verdict

# ----------------------------------------------------------------------------
# Environments (the protocol, B1)
# ----------------------------------------------------------------------------

ENVIRONMENTS: Mapping[str, str] = {
    'sandbox': 'https://openapi-int.qfapi.com',
    'live_testing': 'https://test-openapi-hk.qfapi.com',
    'production': 'https://openapi-hk.qfapi.com',
}

# ----------------------------------------------------------------------------
# Pay types (B12)
# ----------------------------------------------------------------------------


class Mode(str, Enum):
    """Who shows the code.

    MPM        the merchant shows it, the customer scans
    CPM        the customer shows it, the merchant scans
    TERMINAL   neither: made by a terminal, only ever heard of
    """

    MPM = 'mpm'
    CPM = 'cpm'
    TERMINAL = 'terminal'


CLOSE = '/trade/v1/close'
REVERSAL = '/trade/v1/reversal'

_CLOSE_FIRST = (CLOSE, REVERSAL)
_REVERSAL_FIRST = (REVERSAL, CLOSE)
_NO_WAY = ()


@dataclass(frozen=True, slots=True)
class PayType:
    """A way to pay.

    `label`: what it is called. `wallet`: what the customer pays with; '' for cards and where it is
    the customer's choice. `expires`: it obeys our expiry time; else QFPay's own 30 minutes hold.
    `refundable`: money can be given back. `cancel`: the calls that end an unpaid order, in the
    order of trying (B9); none for a wallet that has no such thing. `currencies`: the only ones it
    takes; () for any.
    """

    label: str
    wallet: str
    mode: Mode
    expires: bool = False
    refundable: bool = True
    cancel: tuple[str, ...] = _NO_WAY
    currencies: tuple[str, ...] = ()

    @property
    def refund_days(self) -> int | None:
        """For so many days it can be given back; None where nobody has told."""
        return _REFUND_DAYS.get(self.wallet)


ALIPAY, WECHAT, UNIONPAY = 'Alipay', 'WeChat Pay', 'UnionPay QuickPass'
PAYME, FPS, OCTOPUS = 'PayMe', 'FPS', 'Octopus'
_M, _C, _T = Mode.MPM, Mode.CPM, Mode.TERMINAL
_HKD = ('HKD',)
#: E1. FPS is among them: QFPay gives it back in production, against its own documents (E2)
_REFUND_DAYS: Mapping[str, int] = {WECHAT: 365, ALIPAY: 365, PAYME: 90, FPS: 29}

#            label, wallet, mode, expires, refundable, ways to cancel it
PAY_TYPES: Mapping[str, PayType] = {
    '800101': PayType('Alipay', ALIPAY, _M, True, True, _REVERSAL_FIRST),
    '801501': PayType('Alipay (Hong Kong merchants)', ALIPAY, _M, True, True, _REVERSAL_FIRST),
    '800201': PayType('WeChat Pay', WECHAT, _M, True, True, _CLOSE_FIRST),
    '805801': PayType('PayMe', PAYME, _M, False, True, _NO_WAY, _HKD),
    '800701': PayType('UnionPay QuickPass', UNIONPAY, _M, False, True, _CLOSE_FIRST),
    '802001': PayType('FPS', FPS, _M, False, False, _NO_WAY, _HKD),
    '803701': PayType('Octopus', OCTOPUS, _M, False, False, _NO_WAY, _HKD),
    '800008': PayType('any wallet', '', _C, False, True, _REVERSAL_FIRST),
    '800108': PayType('Alipay', ALIPAY, _C, False, True, _REVERSAL_FIRST),
    '800208': PayType('WeChat Pay', WECHAT, _C, False, True, _REVERSAL_FIRST),
    '801008': PayType(
        'WeChat Pay (Hong Kong, direct settlement)', WECHAT, _C, False, True, _REVERSAL_FIRST
    ),
    '800708': PayType('UnionPay QuickPass', UNIONPAY, _C, False, True, _REVERSAL_FIRST),
    '805808': PayType('PayMe', PAYME, _C, False, True, _NO_WAY, _HKD),
    '802808': PayType('Visa/Mastercard', '', _T),
    '806708': PayType('UnionPay card', '', _T),
    '806808': PayType('American Express', '', _T),
    '803708': PayType('Octopus', OCTOPUS, _T, False, False),
}


def pay_types(mode: Mode) -> dict[str, PayType]:
    """The pay types of one mode, by code."""
    return {code: kind for code, kind in PAY_TYPES.items() if kind.mode is mode}


def wallet_of(pay_type: str) -> str:
    """The wallet that a pay type names, '' for a card or an unknown one."""
    known = PAY_TYPES.get(pay_type)
    return known.wallet if known else ''


# ----------------------------------------------------------------------------
# Currencies (B13)
# ----------------------------------------------------------------------------

#: decimals of the minor unit that amounts are counted in, ISO 4217
CURRENCIES: Mapping[str, int] = {
    'AED': 2,
    'AUD': 2,
    'CAD': 2,
    'CNY': 2,
    'EUR': 2,
    'HKD': 2,
    'IDR': 2,
    'JPY': 0,
    'MMK': 2,
    'MYR': 2,
    'SGD': 2,
    'THB': 2,
    'USD': 2,
}

# ----------------------------------------------------------------------------
# Customers' codes
# ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class WalletCode:
    """How a wallet's payment code looks, and the pay types that charge it, the wallet's own first.

    The forms are the wallets' published ones. One has to be read in full: a product's bar code
    must not match.
    """

    wallet: str
    form: re.Pattern[str]
    pay_types: tuple[str, ...]


WALLET_CODES = (
    WalletCode(WECHAT, re.compile(r'1[0-5][0-9]{16}'), ('800208', '801008', '800008')),
    WalletCode(ALIPAY, re.compile(r'(?:2[5-9]|30)[0-9]{14,22}'), ('800108', '800008')),
    WalletCode(UNIONPAY, re.compile(r'62[0-9]{17}'), ('800708', '800008')),
    # the EMV form for customers abroad: Base64 of a template that begins with CPV01
    WalletCode(UNIONPAY, re.compile(r'hQVDUFYwM[A-Za-z0-9+/]{20,117}={0,2}'), ('800708', '800008')),
)
#: PayMe publishes no form. What is too short for a wallet, or is a link, is none.
_PAYME_CODE = re.compile(r'[A-Za-z0-9]{16,128}')
_PAYME_PAY_TYPE = '805808'
AUTH_CODE_LENGTH = 128


def recognise(auth_code: str) -> WalletCode | None:
    """The wallet whose code this is; None for what is no wallet's published form."""
    return next((known for known in WALLET_CODES if known.form.fullmatch(auth_code)), None)


def pay_type_for(auth_code: str, allowed: Collection[str]) -> str:
    """The pay type to charge a customer's code with.

    :param auth_code: what was scanned or typed, without surrounding white space
    :param allowed: the CPM pay types that the method offers
    :return: the wallet's own pay type, else the one for any wallet
    :raise InvalidRequest: field 'auth_code': no wallet's code, or a wallet that is not offered
    """
    known = recognise(auth_code) if len(auth_code) <= AUTH_CODE_LENGTH else None
    for pay_type in known.pay_types if known else ():
        if pay_type in allowed:
            return pay_type
    if _PAYME_PAY_TYPE in allowed and _PAYME_CODE.fullmatch(auth_code):
        return _PAYME_PAY_TYPE
    if known:
        raise InvalidRequest(
            f'This is a code of {known.wallet}, which is not offered.', 'auth_code'
        )
    raise InvalidRequest("This is no wallet's payment code.", 'auth_code')


def code_forms(pay_type: str) -> list[tuple[str, str]]:
    """The codes that a pay type charges, for whoever wants to check one before it is sent.

    :return: wallet and form of its code: a regular expression that JavaScript reads alike, for
        the whole code
    """
    forms = [(known.wallet, known.form) for known in WALLET_CODES if pay_type in known.pay_types]
    if pay_type == _PAYME_PAY_TYPE:
        forms.append((PAYME, _PAYME_CODE))
    return [(wallet, form.pattern) for wallet, form in forms]


# ----------------------------------------------------------------------------
# Return codes (B15)
# ----------------------------------------------------------------------------


class Action(str, Enum):
    """What a return code asks for.

    OK     it is done
    POLL   it is under way: keep asking
    CHECK  nobody knows: ask until it is known, and send nothing before
    NEW    it failed: a fresh attempt with a new number, or a new scan, is right
    OTHER  it failed: another way to pay is needed
    STOP   the account or the merchant is in trouble: call support
    BUG    our request is wrong
    REF    it is about refunding or cancelling: the code says what (see `says`)
    """

    OK = 'ok'
    POLL = 'poll'
    CHECK = 'check'
    NEW = 'new'
    OTHER = 'other'
    STOP = 'stop'
    BUG = 'bug'
    REF = 'ref'


_DONE, _FAILED, _CANCELLED = Verdict.DONE, Verdict.FAILED, Verdict.CANCELLED
_PENDING, _UNKNOWN = Verdict.PENDING, Verdict.UNKNOWN
_USUAL: Mapping[Action, Verdict] = {
    Action.OK: _DONE,
    Action.POLL: _PENDING,
    Action.CHECK: _UNKNOWN,
    Action.NEW: _FAILED,
    Action.OTHER: _FAILED,
    Action.STOP: _FAILED,
    Action.BUG: _FAILED,
    Action.REF: _FAILED,
}


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a code means for one kind of trade.

    `action`: what to do. `answer`: what it says about the money as the answer to a request. `row`:
    the same as the state of a recorded transaction. The two differ where a refusal may be a
    misunderstanding that the record clears up.
    """

    action: Action
    answer: Verdict
    row: Verdict


def _ruling(action: Action, answer: Verdict | None = None, row: Verdict | None = None) -> Ruling:
    usual = _USUAL[action]
    return Ruling(action, answer or usual, row or answer or usual)


_OK, _POLL, _CHECK = _ruling(Action.OK), _ruling(Action.POLL), _ruling(Action.CHECK)
_NEW, _OTHER, _STOP = _ruling(Action.NEW), _ruling(Action.OTHER), _ruling(Action.STOP)
_BUG, _REF = _ruling(Action.BUG), _ruling(Action.REF)
#: closed or cancelled before it was paid
_CLOSED = _ruling(Action.NEW, _CANCELLED)
#: our request is wrong, and yet an order may be there: it has to be asked about
_BUG_CHECK = _ruling(Action.BUG, _UNKNOWN, _FAILED)
#: about a refund, and whether this very one was made only its own number can tell
_REF_CHECK = _ruling(Action.REF, _UNKNOWN)
#: the same, and a refund that stands at it was not made
_REF_BUSY = _ruling(Action.REF, _UNKNOWN, _FAILED)
#: of no meaning for this kind of trade: as an answer it proves nothing, as a record it is a refusal
_ODD = _ruling(Action.CHECK, _UNKNOWN, _FAILED)


@dataclass(frozen=True, slots=True)
class ReturnCode:
    """A return code: in words, and its ruling for a payment and for a refund."""

    says: str
    payment: Ruling
    refund: Ruling

    def ruling(self, trade: TradeType) -> Ruling:
        return self.refund if trade == 'refund' else self.payment


SUCCESS = '0000'

#                        in words                                         payment    refund
RETURN_CODES: Mapping[str, ReturnCode] = {
    '0000': ReturnCode('success', _OK, _OK),
    '1100': ReturnCode('maintenance', _CHECK, _CHECK),
    '1101': ReturnCode('reversal error', _CHECK, _CHECK),
    '1102': ReturnCode('duplicate request', _CHECK, _CHECK),
    '1103': ReturnCode('wrong format', _BUG, _BUG),
    '1104': ReturnCode('wrong parameter', _BUG, _BUG),
    '1105': ReturnCode('device not active', _STOP, _STOP),
    '1106': ReturnCode('device unknown: wrong app code', _STOP, _STOP),
    '1107': ReturnCode('device not allowed', _STOP, _STOP),
    '1108': ReturnCode('wrong signature', _STOP, _STOP),
    '1125': ReturnCode('refunded already', _ODD, _REF_CHECK),
    '1136': ReturnCode('no such transaction, or not possible now', _CHECK, _REF_CHECK),
    '1142': ReturnCode('order closed', _CLOSED, _REF),
    '1143': ReturnCode('not paid yet: the customer enters a password', _POLL, _POLL),
    '1145': ReturnCode('being processed', _POLL, _POLL),
    '1147': ReturnCode('WeChat Pay reports an error', _CHECK, _CHECK),
    '1150': ReturnCode('this merchant cannot cancel, only refund', _ODD, _REF),
    '1155': ReturnCode('refund refused', _ODD, _REF),
    '1181': ReturnCode('order expired', _NEW, _REF),
    '1201': ReturnCode('not enough money in the wallet', _OTHER, _ODD),
    '1202': ReturnCode("customer's code wrong or expired", _NEW, _ODD),
    '1203': ReturnCode("error in the merchant's account", _STOP, _STOP),
    '1204': ReturnCode('error at the bank', _OTHER, _NEW),
    '1205': ReturnCode('failed, try later', _NEW, _NEW),
    '1212': ReturnCode('a UnionPay code for use abroad is needed', _NEW, _ODD),
    '1241': ReturnCode('no such shop', _STOP, _STOP),
    '1242': ReturnCode('shop set up wrongly', _STOP, _STOP),
    '1243': ReturnCode('shop disabled', _STOP, _STOP),
    '1250': ReturnCode("forbidden; of a refund: PayMe's time for it is over", _OTHER, _REF),
    '1251': ReturnCode('shop set up wrongly at the channel', _STOP, _STOP),
    '1252': ReturnCode('system error', _CHECK, _CHECK),
    '1254': ReturnCode('system error', _CHECK, _CHECK),
    '1260': ReturnCode('paid already', _CHECK, _REF_CHECK),
    '1261': ReturnCode('not paid', _POLL, _REF),
    '1262': ReturnCode('refunded', _NEW, _REF_CHECK),
    '1263': ReturnCode('cancelled', _CLOSED, _REF),
    '1264': ReturnCode('closed; of a refund: nothing is left to give back', _CLOSED, _REF),
    '1265': ReturnCode(
        'no refunds from 23:30 to 00:30, nor for promotions, nor when their time is over',
        _ODD,
        _REF,
    ),
    '1266': ReturnCode('wrong amount', _BUG_CHECK, _BUG),
    '1267': ReturnCode('data do not match', _BUG_CHECK, _BUG),
    '1268': ReturnCode('no such order', _CHECK, _REF),
    '1269': ReturnCode('more than this way to pay has taken and not settled yet', _ODD, _REF),
    '1270': ReturnCode('this currency can only be refunded whole', _ODD, _REF),
    '1271': ReturnCode('this transaction can only be refunded whole', _ODD, _REF),
    '1272': ReturnCode('more than is left to refund', _ODD, _REF),
    '1294': ReturnCode('blocked by the bank or for its risk', _OTHER, _STOP),
    '1295': ReturnCode('network slow', _CHECK, _CHECK),
    '1296': ReturnCode('bank busy', _CHECK, _CHECK),
    '1297': ReturnCode(
        "bank busy, or not supported; of a refund: Alipay's time for it is over, or too much",
        _CHECK,
        _REF_BUSY,
    ),
    '1298': ReturnCode('bank busy: do not pay twice', _CHECK, _CHECK),
    '2005': ReturnCode("customer's code wrong, used or expired", _NEW, _ODD),
    '2011': ReturnCode('number used already', _CHECK, _CHECK),
    # older ones that may still be met
    '1109': ReturnCode('encryption error', _STOP, _STOP),
    '1111': ReturnCode('an outside service is down', _CHECK, _CHECK),
    '1112': ReturnCode('an inner service is down', _CHECK, _CHECK),
    '1113': ReturnCode("the user's state forbids it", _OTHER, _REF),
    '1114': ReturnCode("the user's state forbids it", _OTHER, _REF),
    '1115': ReturnCode("the user's state forbids it", _OTHER, _REF),
    '1116': ReturnCode("the user's state forbids it", _OTHER, _REF),
    '1117': ReturnCode("the user's state forbids it", _OTHER, _REF),
    '1118': ReturnCode('refused for its risk', _OTHER, _REF),
    '1119': ReturnCode('this kind of trade is not allowed', _OTHER, _REF),
    '1120': ReturnCode('not allowed at this time', _OTHER, _REF),
    '1121': ReturnCode('over a limit', _OTHER, _REF),
    '1122': ReturnCode('this currency is not allowed', _OTHER, _REF),
    '1123': ReturnCode('this amount is not allowed', _OTHER, _REF),
    '1124': ReturnCode('not valid; of a refund: a part, on the day of a card', _NEW, _REF),
    '1126': ReturnCode('does not match the original', _BUG, _REF),
    '1130': ReturnCode('this date is not allowed', _OTHER, _REF),
    '1131': ReturnCode('error at the channel', _CHECK, _CHECK),
    '1144': ReturnCode("failed, or another wallet's code", _NEW, _REF),
    '1146': ReturnCode('error at the channel', _CHECK, _CHECK),
    '1161': ReturnCode('result not known yet', _POLL, _POLL),
    '1170': ReturnCode('the channel is down', _CHECK, _CHECK),
    '2003': ReturnCode('wrong signature', _STOP, _STOP),
    '2004': ReturnCode('not enough money in the wallet', _OTHER, _REF),
    '2006': ReturnCode('not a code of this wallet', _NEW, _REF),
    '2007': ReturnCode('the customer closed the password screen', _NEW, _REF),
    '2008': ReturnCode('error at the channel', _NEW, _REF),
    '2009': ReturnCode('error at the channel', _CHECK, _CHECK),
    '2010': ReturnCode('error at the channel', _CHECK, _CHECK),
    '2012': ReturnCode('error at the channel', _NEW, _REF),
    '2999': ReturnCode('refund under way', _POLL, _POLL),
}
UNLISTED_CODE = ReturnCode('not in the documents', _CHECK, _CHECK)

#: with these QFPay turns away a request that it cannot or will not attribute to the merchant: it
#: may have no key to sign such an answer with, or not the one that we verify with
IDENTITY_CODES = frozenset({'1105', '1106', '1107', '1108', '1109', '2003'})
#: no transaction under that number, as the answer to a query
NOT_FOUND_CODES = frozenset({'1136', '1268'})
#: this way of cancelling is not for this order, or failed: the other one may do (B9)
OTHER_WAY_CODES = frozenset({'1101', '1104', '1136', '1297'})
#: the order is closed, which is what cancelling wanted
CLOSED_CODES = frozenset({'1142', '1181', '1263', '1264'})


def return_code(code: str) -> ReturnCode:
    """A code's row; for one in no table, the row that says so."""
    return RETURN_CODES.get(code, UNLISTED_CODE)


# ----------------------------------------------------------------------------
# What only QFPay's words tell (E3, E6, E7)
# ----------------------------------------------------------------------------

_MISUSED, _NUMBER_USED, _NOT_NOW = '1251', '2011', '1265'
#: codes with two meanings: the words beside them are needed, all of them
CODES_NEEDING_WORDS = frozenset({_MISUSED, _NOT_NOW})
_SAYS_USED = re.compile(
    r'\bis used\b|\balready used\b|\bbeen used\b|\bduplicate\b|已使用|已被使用|重复|重複',
    re.IGNORECASE,
)
_SAYS_OVER = re.compile(
    r'\b(?:expired|overdue|too old|deadline|time limit|[0-9]+ days|one year)\b'
    r'|\brefund(?:able)? period\b|\bexceed\w*\b.*\b(?:time|period|limit|days)\b'
    r'|超[过過出]|[时時]限|期限|逾期|[过過]期|[0-9]+ *天',
    re.IGNORECASE,
)
_SAYS_NIGHT = re.compile(
    r'23[:：]30|11:30 ?pm|\b0?0[:：]30|12:30 ?am|[时時]段|[帐帳账]期', re.IGNORECASE
)
_SAYS_PROMOTION = re.compile(
    r'\bpromotion|\bspecial\b|特殊|特別|特别|活动|活動|优惠|優惠', re.IGNORECASE
)
_SAYS_ANOTHER = re.compile(
    r'\bstill\b.*\brequests?\b.*\brepeat|正在[处處]理中的退款', re.IGNORECASE
)


class RefundRefusal(str, Enum):
    """Why a refund was refused, as far as only the words tell.

    OVER      the time in which the payment could be given back is over
    NIGHT     nothing is given back between 23:30 and 00:30
    UNCLEAR   one of the two, or it was a promotion
    ANOTHER   another refund of the same payment is under way
    NONE      the code says all there is
    """

    OVER = 'over'
    NIGHT = 'night'
    UNCLEAR = 'unclear'
    ANOTHER = 'another'
    NONE = 'none'


def refund_refusal(code: str, words: str) -> RefundRefusal:
    """Why a refund was refused.

    QFPay's standing words for 1265 speak of the night and of promotions, and it says them of a
    refund whose time is over as well: they tell nothing.
    """
    if _SAYS_ANOTHER.search(words):
        return RefundRefusal.ANOTHER
    if code != _NOT_NOW:
        return RefundRefusal.NONE
    is_over = _SAYS_OVER.search(words) is not None
    is_night = _SAYS_NIGHT.search(words) is not None and not _SAYS_PROMOTION.search(words)
    if is_over is is_night:
        return RefundRefusal.UNCLEAR
    return RefundRefusal.OVER if is_over else RefundRefusal.NIGHT


def meant_code(code: str, words: str) -> str:
    """The code that was meant.

    A number that QFPay has already is also turned away with the code of a shop that is set up
    wrongly (E6). The request that had the number may have moved the money.
    """
    return _NUMBER_USED if code == _MISUSED and _SAYS_USED.search(words) else code


# ----------------------------------------------------------------------------
# What became of a transaction afterwards (B7)
# ----------------------------------------------------------------------------

#: `cancel` of a successful row: whether the merchant has the money. 0 nothing happened, 5 refunded
#: in part; 1 reversed or refunded, 2 closed, 3 refunded; 4 belongs to pre-authorisations.
#: A payment that was reversed is cancelled and no money stayed, whatever its own code says.
CANCEL: Mapping[int, Verdict] = {
    0: _DONE,
    1: _CANCELLED,
    2: _CANCELLED,
    3: _CANCELLED,
    4: _UNKNOWN,
    5: _DONE,
}
