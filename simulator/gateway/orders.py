"""What QFPay remembers: orders and refunds, and what a query says about them."""

import time
import uuid
from asyncio import Event
from dataclasses import dataclass, field
from datetime import timedelta

from ..book import digits, stamp
from .catalogue import OPEN_CODES, PAID, PAY_TYPES, text


@dataclass(eq=False)
class Order:
    """A payment or a refund. Amounts in minor units; ``respcd`` is its state, ``0000`` is done.

    ``asked_type`` is the pay type of the request, ``pay_type`` the one it became (800008 becomes
    the wallet's own). ``plan`` is what happens by itself: a moment of ``time.monotonic`` and an
    action. ``paid_with``: the order under the same number with which it is paid.
    """

    kind: str
    reference: str
    syssn: str
    asked_type: str
    pay_type: str
    amount_minor: int
    currency: str
    txdtm: str
    created: object
    respcd: str
    mchid: str = ''
    udid: str = ''
    goods_name: str = ''
    notify_url: str = ''
    original: 'Order | None' = None
    cancel: str = '0'
    qrcode: str = ''
    expires: object = None
    paydtm: str = ''
    chnlsn: str = ''
    cardcd: str = ''
    clisn: str = field(default_factory=lambda: digits(6))
    reserved_minor: int = 0
    refunded_minor: int = 0
    plan: tuple | None = None
    created_at: float = field(default_factory=time.time)
    started: float = field(default_factory=time.monotonic)
    paid_at: float | None = None
    paid_with: 'Order | None' = None
    wake: Event = field(default_factory=Event)

    @property
    def open(self):
        """Nobody knows yet how it ends."""
        return self.respcd in OPEN_CODES

    @property
    def paid(self):
        """The merchant has money of it (for a refund: the customer has)."""
        return self.respcd == PAID and self.cancel in ('0', '5')

    @property
    def scanned(self):
        return PAY_TYPES[self.pay_type].scanned

    @property
    def wallet(self):
        return PAY_TYPES[self.pay_type].wallet

    @property
    def refundable_minor(self):
        if self.kind == 'refund' or self.respcd != PAID:
            return 0
        return self.amount_minor - self.reserved_minor

    @property
    def sysdtm(self):
        return stamp(self.created)

    def view(self, now):
        """Everything about it, for the control API and the page."""
        kind = PAY_TYPES[self.pay_type]
        return {
            'kind': self.kind,
            'reference': self.reference,
            'syssn': self.syssn,
            'asked_type': self.asked_type,
            'pay_type': self.pay_type,
            'label': kind.label,
            'wallet': kind.wallet,
            'scanned': kind.scanned,
            'amount_minor': self.amount_minor,
            'currency': self.currency,
            'respcd': self.respcd,
            'text': text(self.respcd),
            'cancel': self.cancel,
            'open': self.open,
            'paid': self.paid,
            'qrcode': self.qrcode,
            'original': self.original.syssn if self.original else None,
            'original_reference': self.original.reference if self.original else None,
            'refunded_minor': self.refunded_minor,
            'refundable_minor': self.refundable_minor,
            'udid': self.udid,
            'goods_name': self.goods_name,
            'notify_url': self.notify_url,
            'mchid': self.mchid,
            'txdtm': self.txdtm,
            'sysdtm': self.sysdtm,
            'paydtm': self.paydtm,
            'chnlsn': self.chnlsn,
            'created_at': self.created_at,
            'paid_at': self.paid_at,
            'expires_at': self.expires and stamp(self.expires),
            'seconds_left': (
                max(0.0, round((self.expires - now).total_seconds(), 1))
                if self.expires and self.open
                else None
            ),
        }


class Book:
    """The orders and refunds of one merchant, oldest first."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.orders = []
        self._by_reference = {}
        self._by_syssn = {}
        self._twins = {}

    def add(self, order):
        self.orders.append(order)
        self._by_reference[order.reference] = order
        self._by_syssn[order.syssn] = order
        return order

    def add_twin(self, twin):
        """One more order under the number of another, which is the one by that number."""
        self.orders.append(twin)
        self._by_syssn[twin.syssn] = twin
        self._twins.setdefault(twin.reference, []).append(twin)

    def paid_with(self, order):
        """The open orders that are paid with this one."""
        twins = self._twins.get(order.reference, ())
        return [twin for twin in twins if twin.open and twin.paid_with is order]

    def open_refund(self, payment):
        """Whether a refund of the payment is not decided yet."""
        return any(order.open and order.original is payment for order in self.orders)

    def by_reference(self, reference):
        return self._by_reference.get(reference)

    def by_syssn(self, syssn):
        return self._by_syssn.get(syssn)

    def find(self, syssns=None, references=None):
        """The orders with one of these numbers of each list that is given, the newest first."""
        if syssns is not None:
            found = [self._by_syssn[number] for number in syssns if number in self._by_syssn]
            if references is not None:
                found = [order for order in found if order.reference in references]
        elif references is not None:
            found = [
                self._by_reference[number] for number in references if number in self._by_reference
            ]
            found += [twin for number in references for twin in self._twins.get(number, ())]
        else:
            found = self.orders
        return sorted(dict.fromkeys(found), key=lambda order: order.created_at, reverse=True)

    def turnover(self, payment, moment):
        """What the day has brought so far by the wallet of a payment, less what was given back: it
        is not settled yet."""
        today = stamp(moment)[:10]
        total = 0
        for order in self.orders:
            is_same = (order.wallet, order.currency) == (payment.wallet, payment.currency)
            if order.respcd == PAID and is_same and order.paydtm[:10] == today:
                total += order.amount_minor if order.kind == 'payment' else -order.amount_minor
        return total

    def new_syssn(self, moment):
        """A number of QFPay's, 26 digits."""
        while True:
            syssn = moment.strftime('%Y%m%d%H%M%S') + digits(12)
            if syssn not in self._by_syssn:
                return syssn

    def new_reference(self):
        """A number for a refund that no till asked for."""
        return uuid.uuid4().hex


def row(order, style, language):
    """A row of a query (the protocol, B7).

    :param style: writes an amount or a small number, as text or number
    :param language: of QFPay's words
    """
    return {
        'syssn': order.syssn,
        'out_trade_no': order.reference,
        'pay_type': order.pay_type,
        'order_type': order.kind,
        'txamt': style(order.amount_minor),
        'txcurrcd': order.currency,
        'txdtm': order.txdtm,
        'sysdtm': order.sysdtm,
        'paydtm': order.paydtm,
        'cancel': style(int(order.cancel)),
        'respcd': order.respcd,
        'errmsg': text(order.respcd, language),
        'chnlsn': order.chnlsn,
        'chnlsn2': '',
        'origssn': order.original.syssn if order.original else '',
        'goods_name': order.goods_name,
        'goods_info': '',
        'goods_detail': '',
        'udid': order.udid,
        'userid': '10000001',
        'clisn': order.clisn,
        'cardtp': '5',
        'exchange_rate': '',
        'cash_fee': '',
        'cash_fee_type': '',
        'cash_refund_fee': '',
        'cash_refund_fee_type': '',
    }


def month_of(moment):
    """The first and the last second of a moment's month, as texts."""
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    after = (first + timedelta(days=32)).replace(day=1)
    return stamp(first), stamp(after - timedelta(seconds=1))
