"""What the numbers in an answer mean, as tables.

An answer carries two codes. The outer one is the terminal's (RESPONSE_CODES; the protocol, A8):
what became of the *command*. The inner one, inside the data, is the host's (HOST_CODES; B15): what
became of the *transaction*. What an outer code says about the money depends on what was asked,
so its row has one verdict for each kind of question.

A code that is in no table says nothing about the money. For the terminal's codes that means
`UNKNOWN`. For the host's code of a recorded transaction QFPay's own rule is: success, pending, or
else failed. That rule is followed for codes that name a refusal, and not for those that speak of a
network or a system in trouble, nor for codes that nobody knows: behind them a payment can still
arrive, so they are `UNKNOWN` here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ..outcome import Verdict

SUCCESS = '6000'
NOT_CARRIED_OUT = '6002'
HOST_SUCCESS = '0000'


@dataclass(frozen=True, slots=True)
class ResponseCode:
    """An outer code: in words, and its verdict on a charge or refund, an inquiry, a command.

    The verdict DONE for a charge or an inquiry, and NOT_FOUND for an inquiry, are only the first
    half of the truth: the data decides (see `answer`).
    """

    says: str
    charge: Verdict
    inquiry: Verdict
    command: Verdict


_DONE, _FAILED, _CANCELLED = Verdict.DONE, Verdict.FAILED, Verdict.CANCELLED
_PENDING, _UNKNOWN, _NOT_FOUND = Verdict.PENDING, Verdict.UNKNOWN, Verdict.NOT_FOUND

#                      in words                          charge      inquiry     command
RESPONSE_CODES: Mapping[str, ResponseCode] = {
    '6000': ResponseCode('carried out', _DONE, _DONE, _DONE),
    '6001': ResponseCode('cancelled at the terminal', _CANCELLED, _UNKNOWN, _CANCELLED),
    '6002': ResponseCode('not carried out, or nobody knows', _UNKNOWN, _NOT_FOUND, _FAILED),
    '4003': ResponseCode('denied: key, device or busy', _FAILED, _UNKNOWN, _FAILED),
    '4004': ResponseCode('wrong HTTP method', _FAILED, _UNKNOWN, _FAILED),
    '4005': ResponseCode('other error', _UNKNOWN, _UNKNOWN, _UNKNOWN),
    '4006': ResponseCode('bad parameter', _FAILED, _UNKNOWN, _FAILED),
    '4007': ResponseCode('nobody is logged in', _FAILED, _UNKNOWN, _FAILED),
    '5001': ResponseCode('cannot be decrypted', _FAILED, _UNKNOWN, _FAILED),
}
UNLISTED_CODE = ResponseCode('not in the documents', _UNKNOWN, _UNKNOWN, _UNKNOWN)


def _all(codes: str, verdict: Verdict) -> dict[str, Verdict]:
    return dict.fromkeys(codes.split(), verdict)


HOST_CODES: Mapping[str, Verdict] = {
    '0000': _DONE,
    # unpaid, processing, result not known yet
    **_all('1143 1145 1161 1261 2999', _PENDING),
    # closed or cancelled before it was paid
    **_all('1142 1263 1264', _CANCELLED),
    # no such transaction
    **_all('1136 1268', _NOT_FOUND),
    # maintenance, network, system or bank in trouble, asked twice, or already paid or refunded
    **_all('1100 1101 1102 1111 1112 1131 1146 1147 1170 1252 1254 1260 1262', _UNKNOWN),
    **_all('1295 1296 1297 1298 2009 2010 2011', _UNKNOWN),
    # refused: by the host, by a bank, by a wallet, or because our request is wrong
    **_all('1103 1104 1105 1106 1107 1108 1109 1113 1114 1115 1116 1117 1118 1119 1120', _FAILED),
    **_all('1121 1122 1123 1124 1125 1126 1130 1144 1150 1155 1181 1201 1202 1203 1204', _FAILED),
    **_all('1205 1212 1241 1242 1243 1250 1251 1265 1266 1267 1269 1270 1271 1272 1294', _FAILED),
    **_all('2003 2004 2005 2006 2007 2008 2012', _FAILED),
}
UNLISTED_HOST_CODE = Verdict.UNKNOWN

#: values of `cancel` (the protocol, A12.5 and B7): reversed, closed before payment, refunded. In
#: none of them the shop has the money
GIVEN_BACK = frozenset({1, 2, 3})
CANCEL_VALUES = GIVEN_BACK | {0, 4, 5}

#: numeric currency codes that answers were seen to carry, ISO 4217
CURRENCIES: Mapping[str, str] = {
    '344': 'HKD',
    '156': 'CNY',
    '446': 'MOP',
    '392': 'JPY',
    '702': 'SGD',
    '840': 'USD',
}

#: card schemes that answers abbreviate
CARD_SCHEMES: Mapping[str, str] = {'ECMC': 'MASTERCARD', 'MASTER': 'MASTERCARD'}

#: how a terminal says that an order does not exist; "not found" alone may be said of a host
_THINGS = 'order|transaction|trade|record|payment'
_THINGS_ZH = '订单|訂單|交易|流水|记录|記錄|付款|支付'
NO_SUCH_ORDER = re.compile(
    rf"\b(?:{_THINGS})s?\b.{{0,30}}(?:\bnot\b|n['’]t\b).{{0,10}}(?:exist|found)"
    rf'|\bno such (?:{_THINGS})'
    rf'|(?:{_THINGS_ZH}).{{0,6}}不存在'
    rf'|(?:找不到|未找到|沒有找到|没有找到|查無|查无|無此|无此).{{0,6}}(?:{_THINGS_ZH})',
    re.IGNORECASE,
)
