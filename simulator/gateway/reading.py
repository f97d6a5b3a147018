"""A request's fields, checked in the order of the protocol's B17.

Signature, merchant id, fields that must be there, form of each field. What a pay type or an order
allows is the merchant's business.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

from ..book import HONG_KONG
from .signing import ALGORITHMS, matches, signature, signed_text

FORM = 'application/x-www-form-urlencoded'
LARGEST_AMOUNT = 2**31 - 1


class Refused(Exception):
    """A request that is not carried out. ``code`` is QFPay's, ``note`` says what is wrong.

    ``said``: other words than the usual ones, see :func:`~simulator.gateway.catalogue.text`.
    """

    def __init__(self, code, note='', said=''):
        super().__init__(f'{code} {note}')
        self.code = code
        self.note = note
        self.said = said


@dataclass(frozen=True)
class Call:
    """One of the five calls: its HTTP methods and its fields (the protocol, B6 to B9)."""

    name: str
    methods: tuple
    needed: tuple
    optional: tuple


CALLS = {
    '/trade/v1/payment': Call(
        'payment',
        ('POST',),
        ('txamt', 'txcurrcd', 'pay_type', 'out_trade_no', 'txdtm'),
        (
            'auth_code',
            'expired_time',
            'pay_tag',
            'limit_pay',
            'goods_name',
            'txzone',
            'udid',
            'notify_url',
        ),
    ),
    '/trade/v1/query': Call(
        'query',
        ('POST',),
        (),
        (
            'syssn',
            'out_trade_no',
            'start_time',
            'end_time',
            'pay_type',
            'respcd',
            'page',
            'page_size',
        ),
    ),
    '/trade/v1/refund': Call(
        'refund', ('POST',), ('syssn', 'out_trade_no', 'txamt', 'txdtm'), ('udid',)
    ),
    # The documents disagree on the method of these two.
    '/trade/v1/reversal': Call(
        'reversal', ('POST', 'GET'), ('txamt', 'txdtm'), ('syssn', 'out_trade_no', 'udid')
    ),
    '/trade/v1/close': Call(
        'close', ('POST', 'GET'), ('txamt', 'txdtm'), ('syssn', 'out_trade_no', 'udid')
    ),
}


def pairs_of(method, query, content_type, body):
    """Names and values as they were sent; a body that is no form has none."""
    if method == 'GET':
        return parse_qsl(query, keep_blank_values=True)
    if content_type != FORM:
        return []
    return parse_qsl(body.decode('utf-8', 'replace'), keep_blank_values=True)


def read(call, pairs, headers, settings):
    """The fields of a request by name; amounts, pages and times are converted.

    :raises Refused: with QFPay's code for what is wrong
    """
    _check_sender(headers, pairs, settings)
    names = [name for name, value in pairs]
    fields = {name: value for name, value in pairs if value}
    _check_merchant(fields, settings)
    for name in call.needed:
        if name not in fields:
            raise Refused('1104', f'{name} is missing')
    if len(set(names)) < len(names):
        raise Refused('1103', 'a field is there twice')
    asked = {}
    for name in (*call.needed, *call.optional):
        if name in fields:
            check = _list_of_numbers if call.name == 'query' and name in LISTS else FORMS[name]
            asked[name] = check(name, fields[name], settings)
    return asked


def _check_sender(headers, pairs, settings):
    if headers.get('X-QF-APPCODE') != settings.app_code:
        raise Refused('1106', 'X-QF-APPCODE is missing or unknown')
    given = headers.get('X-QF-SIGN')
    if not given:
        raise Refused('1108', 'X-QF-SIGN is missing')
    sign_type = headers.get('X-QF-SIGNTYPE', 'MD5')
    if sign_type not in ALGORITHMS:
        raise Refused('1108', 'X-QF-SIGNTYPE is MD5 or SHA256')
    signed = signed_text(pairs, with_empty=settings.sign_empty)
    expected = signature(signed, settings.client_key, sign_type)
    if not matches(given, expected, strict_case=settings.strict_case):
        raise Refused('1108')


def _check_merchant(fields, settings):
    given = fields.get('mchid', '')
    if given != settings.mchid:
        problem = 'is wrong' if settings.mchid and given else 'is missing'
        raise Refused('1104', f'mchid {problem if settings.mchid else "is not expected"}')


# The form of each field. A pattern is matched in full.


def _pattern(pattern):
    form = re.compile(pattern, re.ASCII)

    def check(name, value, settings):
        if not form.fullmatch(value):
            raise Refused('1103', f'{name} has a wrong form')
        return value

    return check


def _amount(name, value, settings):
    if not re.fullmatch('[0-9]{1,11}', value, re.ASCII) or not 0 < int(value) <= LARGEST_AMOUNT:
        raise Refused('1103', f'{name} is a whole number above 0')
    return int(value)


def _between(least, most):
    def check(name, value, settings):
        if not re.fullmatch('[0-9]{1,9}', value, re.ASCII) or not least <= int(value) <= most:
            raise Refused('1103', f'{name} is a number from {least} to {most}')
        return int(value)

    return check


def moment(text):
    """The moment of a text like ``2026-01-15 14:03:22`` in Hong Kong, or ``None``."""
    if not re.fullmatch('[0-9]{4}(-[0-9]{2}){2} [0-9]{2}(:[0-9]{2}){2}', text, re.ASCII):
        return None
    try:
        return datetime.strptime(text, '%Y-%m-%d %H:%M:%S').replace(tzinfo=HONG_KONG)
    except ValueError:
        return None


def _time(name, value, settings):
    if moment(value) is None:
        raise Refused('1103', f'{name} is a time like 2026-01-15 14:03:22')
    return value


def _goods_name(name, value, settings):
    if len(value) > 20 or len(value.encode()) > 64:
        raise Refused('1103', f'{name} has up to 20 characters')
    if not all(sign.isalnum() or sign in ' -_.,' for sign in value):
        raise Refused('1103', f'{name} has no special characters')
    return value


def _text(most):
    def check(name, value, settings):
        if len(value) > most or not value.isprintable():
            raise Refused('1103', f'{name} has up to {most} characters')
        return value

    return check


def _notify_url(name, value, settings):
    try:
        parts = urlsplit(value)
        port = parts.port or {'http': 80, 'https': 443}[parts.scheme]
    except (KeyError, ValueError):
        raise Refused('1103', f'{name} is an address') from None
    if len(value) > 256 or not parts.hostname:
        raise Refused('1103', f'{name} is an address of up to 256 characters')
    if settings.strict_notify_url and port not in (80, 443):
        raise Refused('1104', f'{name} has port 80 or 443')
    return value


def _list_of_numbers(name, value, settings):
    if settings.list_length and len(value) > settings.list_length:
        raise Refused('1103', f'{name} has up to {settings.list_length} characters')
    numbers = value.split(',')
    for number in numbers:
        FORMS[name](name, number, settings)
    return numbers


LISTS = ('syssn', 'out_trade_no')
FORMS = {
    'txamt': _amount,
    'txcurrcd': _pattern('[A-Z]{3}'),
    'pay_type': _pattern('[0-9]{6}'),
    'out_trade_no': _pattern('[A-Za-z0-9_|*-]{1,128}'),
    'syssn': _pattern('[A-Za-z0-9]{1,128}'),
    'txdtm': _time,
    'start_time': _time,
    'end_time': _time,
    'auth_code': _text(128),
    'expired_time': _between(5, 120),
    'pay_tag': _pattern('ALIPAYHK|ALIPAYCN'),
    'limit_pay': _pattern('no_credit'),
    'goods_name': _goods_name,
    'txzone': _pattern('[+-][0-9]{4}'),
    'udid': _text(40),
    'notify_url': _notify_url,
    'respcd': _pattern('[0-9]{4}(,[0-9]{4})*'),
    'page': _between(1, 100_000),
    'page_size': _between(1, 100),
}
