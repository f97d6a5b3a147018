"""What QFPay's host remembers: every trade, and what may still be given back.

All terminals of one simulator belong to one merchant and share one book, as in a shop: a payment
taken at one till can be refunded at another.
"""

import random
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

HONG_KONG = timezone(timedelta(hours=8))

CARD_PREFIX = {'VISA': '411111', 'MASTERCARD': '520000', 'ECMC': '520000', 'UNIONPAY': '622888'}
AMEX_PREFIX = '371449'

MERCHANT_ID = 'SIMULATOR1'

TEXTS = {
    '0000': 'success',
    '1102': 'duplicate request',
    '1124': 'for a void request it must be a full refund, please correct the amount',
    '1125': 'already refunded',
    '1143': 'not paid yet',
    '1145': 'processing',
    '1155': 'refund refused',
    '1181': 'order expired',
    '1205': 'payment failed, try later',
    '1250': 'transaction forbidden',
    '1261': 'not paid',
    '1263': 'cancelled',
    '1265': 'refunds between 11:30pm and 0:30am and of special promotions cannot be processed',
    '1268': 'order does not exist',
    '1272': 'more than what can be refunded',
    '1297': 'bank system busy',
}

#: for so many days a channel gives back what was paid; and the code of a refund that comes later
REFUND_DAYS = {'wx': 365, 'alipay': 365, 'payme': 90, 'fps': 29}
TOO_LATE = {'payme': '1250', 'alipay': '1297'}
TOO_LATE_ELSE = ('1265', 'this order cannot be refunded, the time limit for refunds was exceeded')


class RefundRefused(Exception):
    """The host does not give money back. ``code`` is its inner code (the protocol, B15), and the
    exception's text what it says."""

    def __init__(self, code, words=''):
        super().__init__(words or TEXTS[code])
        self.code = code


def stamp(moment):
    """A time as QFPay writes it, in Hong Kong: ``2026-01-15 14:03:22``."""
    return moment.strftime('%Y-%m-%d %H:%M:%S')


def digits(count):
    """A random number as text, first digit not zero."""
    return str(random.randrange(10 ** (count - 1), 10**count))


def masked(scheme, last4):
    """A card number as an inquiry shows it: six digits, stars, the last four."""
    prefix, stars = (AMEX_PREFIX, 5) if scheme == 'AMEX' else (CARD_PREFIX[scheme], 6)
    return prefix + '*' * stars + last4


@dataclass
class Trade:
    """A row of the book. Amounts in cents; ``respcd`` is the host's word, ``0000`` is paid."""

    terminal: int
    kind: str
    channel: str
    busicd: str
    amount_minor: int
    reference: str
    syssn: str
    sysdtm: str
    respcd: str
    original: 'Trade | None' = None
    scanned: bool = False
    cancel: int = 0
    refunded_minor: int = 0
    charged_minor: int = 0
    chnlsn: str = ''
    paydtm: str = ''
    cardscheme: str = ''
    cardno: str = ''
    cardtype: str = ''
    batchno: str = ''
    refno: str = ''
    clisn: str = ''
    created_at: float = field(default_factory=time.time)
    paid_at: float | None = None

    @property
    def paid(self):
        return self.respcd == '0000'

    @property
    def refundable_minor(self):
        if self.kind == 'refund' or not self.paid:
            return 0
        return self.amount_minor - self.refunded_minor

    def row(self):
        """Everything, for the control API."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        values['original'] = self.original.syssn if self.original else None
        values['refundable_minor'] = self.refundable_minor
        return values


class Book:
    """The trades of the merchant, oldest first."""

    def __init__(self):
        self.trades = []
        self._by_syssn = {}
        self._used = {}

    def forget(self, terminal):
        """Drop what one terminal has done."""
        self.trades = [trade for trade in self.trades if trade.terminal != terminal]
        self._by_syssn = {trade.syssn: trade for trade in self.trades}
        self._used = {ref: owner for ref, owner in self._used.items() if owner != terminal}

    def use_reference(self, reference, terminal):
        """Claim a merchant reference; ``False`` when it has been used before, however it ended."""
        if reference in self._used:
            return False
        self._used[reference] = terminal
        return True

    def open_payment(
        self, terminal, channel, busicd, amount_minor, reference, moment, *, respcd, scanned
    ):
        """Write a payment that is not decided yet.

        :param bool scanned: the terminal scans the customer's code (CPM)
        """
        trade = Trade(
            terminal=terminal,
            kind='payment',
            channel=channel,
            busicd=busicd,
            amount_minor=amount_minor,
            reference=reference or uuid.uuid4().hex,
            syssn=self._new_syssn(moment),
            sysdtm=stamp(moment),
            respcd=respcd,
            scanned=scanned,
            clisn=digits(6),
        )
        return self._write(trade)

    def charge(self, trade, moment, *, scheme='', last4='', cardtype=''):
        """The money moves. ``scheme`` is empty for everything but cards."""
        trade.respcd = '0000'
        trade.paydtm = stamp(moment)
        trade.paid_at = time.time()
        trade.charged_minor = trade.amount_minor
        trade.chnlsn = digits(12) if trade.busicd.startswith(('802', '803', '806')) else digits(28)
        if scheme:
            trade.cardscheme = scheme
            trade.cardno = masked(scheme, last4)
            trade.cardtype = cardtype
            trade.batchno = digits(6)
            trade.refno = trade.chnlsn

    def find(self, syssn=None, reference=None):
        """The row with these numbers, all that are given, or ``None``."""
        if syssn is not None:
            trade = self._by_syssn.get(syssn)
            return trade if trade and reference in (None, trade.reference) else None
        return next((trade for trade in self.trades if trade.reference == reference), None)

    def check_refund(self, syssn, amount_minor, channels, moment, *, blackout=False, periods=False):
        """May this be given back? (the protocol, A12.4)

        :param amount_minor: cents, ``None`` for all that is left
        :param bool blackout: keep QFPay's night hours, 23:30 to 00:30, without refunds
        :param bool periods: keep the periods of :data:`REFUND_DAYS`
        :return: the payment and the amount in cents
        :raises RefundRefused: with the host's code
        """
        trade = self.find(syssn=syssn)
        if trade is None or trade.kind != 'payment':
            raise RefundRefused('1268')
        if not trade.paid:
            raise RefundRefused('1261')
        channel = channels[trade.channel]
        if not channel.refundable:
            raise RefundRefused('1155')
        if blackout and not timedelta(minutes=30) <= _since_midnight(moment) < timedelta(
            hours=23, minutes=30
        ):
            raise RefundRefused('1265')
        if periods and _is_too_late(trade, moment):
            code = TOO_LATE.get(trade.channel)
            raise RefundRefused(code) if code else RefundRefused(*TOO_LATE_ELSE)
        left = trade.refundable_minor
        if not left:
            raise RefundRefused('1125')
        amount = left if amount_minor is None else amount_minor
        if amount > left:
            raise RefundRefused('1272')
        same_day = trade.paydtm[:10] == stamp(moment)[:10]
        if channel.is_card and same_day and amount != trade.amount_minor:
            raise RefundRefused('1124')
        return trade, amount

    def refund(self, terminal, payment, amount_minor, moment):
        """The money goes back; the refund's own row is returned."""
        trade = Trade(
            terminal=terminal,
            kind='refund',
            channel=payment.channel,
            busicd=payment.busicd,
            amount_minor=amount_minor,
            reference=uuid.uuid4().hex,
            syssn=self._new_syssn(moment),
            sysdtm=stamp(moment),
            paydtm=stamp(moment),
            respcd='0000',
            original=payment,
            charged_minor=-amount_minor,
            chnlsn=digits(len(payment.chnlsn)),
            cardscheme=payment.cardscheme,
            cardno=payment.cardno,
            cardtype=payment.cardtype,
            batchno=payment.batchno,
            refno=digits(12) if payment.refno else '',
            clisn=digits(6),
            paid_at=time.time(),
        )
        payment.refunded_minor += amount_minor
        if payment.refundable_minor:
            payment.cancel = 5
        else:
            payment.cancel = 1 if payment.scanned else 3
        return self._write(trade)

    def _write(self, trade):
        self.trades.append(trade)
        self._by_syssn[trade.syssn] = trade
        return trade

    def _new_syssn(self, moment):
        while True:
            syssn = moment.strftime('%Y%m%d%H%M%S') + digits(12)
            if syssn not in self._by_syssn:
                return syssn


def _is_too_late(trade, moment):
    days = REFUND_DAYS.get(trade.channel)
    return days is not None and stamp(moment - timedelta(days=days)) > trade.paydtm


def _since_midnight(moment):
    return moment - moment.replace(hour=0, minute=0, second=0, microsecond=0)


def now(offset=0.0):
    """The time in Hong Kong, moved by some seconds."""
    return datetime.now(HONG_KONG) + timedelta(seconds=offset)
