"""The five calls, and the customer who pays (the protocol, B6 to B9 and B16).

An order that is not decided lives in a task of its own until somebody acts: the customer, the
settings in the customer's place, a call-off, or the clock::

    payment --> 1143 -- scan --> 1145 -- pay --> 0000 --> refunds: cancel 5, 3
                  |               |
                  +---------------+-- expire --> 1181, refuse --> its code, close --> 1264

What is decided stays decided, unless somebody asks for a payment that comes too late.
"""

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import timedelta

from ..book import digits, now, stamp
from ..terminal import NotNow
from .catalogue import (
    ANY_WALLET,
    CANCEL_LISTS,
    DECIMALS,
    PAID,
    PAY_TYPES,
    PROCESSING,
    REFUND_DAYS,
    TOO_LATE,
    TOO_LATE_ELSE,
    WAITING,
)
from .orders import Book, Order, month_of, row
from .phone import Phone, script_of, wallet_of
from .reading import Refused, moment

DEFAULT_MINUTES = 30
OWN_TYPE = {'alipay': '800108', 'wechat': '800208', 'unionpay': '800708', 'payme': '805808'}
FAILED_AT_ONCE = {'refuse': '1201', 'expired': '1202', 'used': '2005', 'error': '1205'}
STEPS = {'pay': PAID, 'expire': '1181', 'close': '1264'}


@dataclass(frozen=True)
class Answer:
    """What QFPay says to a call. ``lost``: the caller never hears it. ``said``: in other words than
    the usual ones, see :func:`~simulator.gateway.catalogue.text`."""

    respcd: str
    note: str = ''
    fields: dict = field(default_factory=dict)
    lost: bool = False
    said: str = ''


class Merchant:
    """One merchant's orders at QFPay.

    :param settings: the :class:`~simulator.gateway.settings.GatewaySettings`
    :param notices: sends the notifications
    :param hub: told of every change
    """

    def __init__(self, settings, notices, hub):
        self.settings = settings
        self.notices = notices
        self.hub = hub
        self.book = Book()
        self.phone = Phone()
        self._tasks = set()

    def now(self):
        return now(self.settings.clock_offset)

    def reset(self):
        """Forget everything."""
        for task in self._tasks:
            task.cancel()
        self.book.reset()
        self.phone.reset()

    def settings_changed(self):
        """Let open orders look at the settings and at the clock."""
        for order in self.book.orders:
            if order.open:
                order.wake.set()

    # Payment

    async def payment(self, asked):
        """Make an order, or charge a customer's code."""
        kind = self._pay_type(asked)
        self._check_unused(asked['out_trade_no'])
        if kind.scanned:
            return await self._scan(asked)
        return await self._show(asked)

    def _pay_type(self, asked):
        settings, code = self.settings, asked['pay_type']
        currency = asked['txcurrcd']
        if currency not in DECIMALS:
            raise Refused('1104', 'txcurrcd is not supported')
        if code not in PAY_TYPES:
            raise Refused('1104', 'pay_type is not supported')
        kind = PAY_TYPES[code]
        hong_kong_wallet = code == '801501' and asked.get('pay_tag') != 'ALIPAYCN'
        if currency != 'HKD' and (kind.hkd or hong_kong_wallet):
            raise Refused('1104', 'pay_type takes HKD only')
        if settings.pay_types and code not in settings.pay_types:
            raise Refused('1250', 'pay_type is not enabled for this merchant')
        if settings.currencies and currency not in settings.currencies:
            raise Refused('1250', 'txcurrcd is not enabled for this merchant')
        return kind

    def _check_unused(self, reference):
        if not self.book.by_reference(reference):
            return
        code = self.settings.duplicate_code
        if code == '1251':
            raise Refused(code, 'out_trade_no is used', 'number_used')
        raise Refused(code, 'out_trade_no was used before')

    async def _show(self, asked):
        kind = PAY_TYPES[asked['pay_type']]
        order = self._new_order(asked, asked['pay_type'])
        minutes = asked.get('expired_time', DEFAULT_MINUTES) if kind.expires else DEFAULT_MINUTES
        order.expires = order.created + timedelta(minutes=minutes / self.settings.expiry_factor)
        order.qrcode = self._qrcode(order, kind)
        self._add_twin(order)
        if self.settings.notify_mode == 'first' and self.settings.auto == 'pay':
            # Paid and announced before the till has even heard of its code.
            self.book.add(order)
            await asyncio.sleep(self.settings.auto_delay)
            await self._finish(order, PAID, before_answer=True)
        else:
            self._add(order)
        fields = self._fields(order) | {'qrcode': order.qrcode}
        note = ''
        if kind.wallet == 'payme':
            fields |= {'pay_url': order.qrcode, 'payme_logo': ''}
            note = 'PR001:Request for Payment Initiated'
        if self.settings.early_paydtm:
            fields['paydtm'] = order.sysdtm
        return Answer(PAID, note, fields)

    def _qrcode(self, order, kind):
        secret = digits(20)
        if kind.wallet == 'fps':
            text = f'00020101021226330012hk.com.hkicl0113{secret[:13]}5303344540{order.syssn}6304'
        elif kind.wallet == 'wechat':
            text = f'weixin://wxpay/bizpayurl?pr={secret}'
        else:
            text = f'https://qr.{kind.wallet}.example/{secret}'
        return text.ljust(512, '0') if self.settings.long_qrcode else text

    async def _scan(self, asked):
        code = asked.get('auth_code')
        if code is None:
            raise Refused('1104', 'auth_code is missing')
        order = self._new_order(asked, self._wallet_type(asked['pay_type'], code))
        script = script_of(code) or self.settings.cpm_default
        failure = FAILED_AT_ONCE.get(script)
        if not self.phone.use(code):
            failure = '2005'
        elif not self._fits(order.asked_type, code) or self.phone.too_old(
            code, self.settings.code_seconds
        ):
            failure = '1202'
        if failure:
            return self._failed_at_once(order, failure)
        if self.settings.cpm_seconds:
            order.expires = order.created + timedelta(seconds=self.settings.cpm_seconds)
        if script in ('password', 'processing'):
            order.plan = (time.monotonic() + self.settings.password_seconds, 'pay')
        order.respcd = PROCESSING if script == 'processing' else WAITING
        self._add(order)
        if script in ('ok', 'lost'):
            await self._finish(order, PAID, before_answer=True)
        return Answer(order.respcd, '', self._fields(order), lost=script == 'lost')

    def _wallet_type(self, asked_type, code):
        """The wallet's own pay type for 800008; a code of no wallet leaves it as it is."""
        if asked_type != ANY_WALLET:
            return asked_type
        return OWN_TYPE.get(wallet_of(code), asked_type)

    def _fits(self, asked_type, code):
        wallet = wallet_of(code)
        if asked_type == ANY_WALLET:
            return wallet is not None and (wallet != 'payme' or self.settings.payme_in_any)
        return wallet == PAY_TYPES[asked_type].wallet

    def _failed_at_once(self, order, code):
        order.respcd = code
        if self.settings.failed_rows:
            self._add(order)
            return Answer(code, '', self._fields(order))
        return Answer(code, '', {'out_trade_no': order.reference})

    def _new_order(self, asked, pay_type):
        moment_now = self.now()
        return Order(
            kind='payment',
            reference=asked['out_trade_no'],
            syssn=self.book.new_syssn(moment_now),
            asked_type=asked['pay_type'],
            pay_type=pay_type,
            amount_minor=asked['txamt'],
            currency=asked['txcurrcd'],
            txdtm=asked['txdtm'],
            created=moment_now,
            respcd=WAITING,
            mchid=self.settings.mchid,
            udid=asked.get('udid', ''),
            goods_name=asked.get('goods_name', ''),
            notify_url=asked.get('notify_url', ''),
        )

    # Query

    async def query(self, asked):
        """The rows of orders and refunds (the protocol, B7)."""
        window = self._window(asked)
        found = self.book.find(asked.get('syssn'), asked.get('out_trade_no'))
        if window:
            first, last = window
            found = [order for order in found if first <= order.sysdtm <= last]
        if 'pay_type' in asked:
            found = [order for order in found if order.pay_type == asked['pay_type']]
        if 'respcd' in asked:
            codes = asked['respcd'].split(',')
            found = [order for order in found if order.respcd in codes]
        if not found and self.settings.not_found != 'empty':
            return Answer(self.settings.not_found)
        page, size = asked.get('page', 1), asked.get('page_size', 10)
        shown = found[(page - 1) * size : page * size]
        return Answer(
            PAID,
            '',
            {
                'page': page,
                'page_size': size,
                'data': [row(order, self.style, self.settings.language) for order in shown],
            },
        )

    def _window(self, asked):
        """The first and last second to look in, or ``None`` for all times."""
        start, end = asked.get('start_time'), asked.get('end_time')
        numbers = 'syssn' in asked or 'out_trade_no' in asked
        if (start is None) != (end is None) or not (numbers or start):
            raise Refused('1104', 'syssn, out_trade_no, or start_time and end_time')
        if 'syssn' in asked or (numbers and self.settings.window_ignores_numbers):
            return None
        if start is None:
            return month_of(self.now())
        if start > end or start[:7] != end[:7]:
            raise Refused('1104', 'start_time and end_time lie in one calendar month')
        return start, end

    # Refund

    async def refund(self, asked):
        """Give money back (the protocol, B8)."""
        self._check_unused(asked['out_trade_no'])
        original = self.book.by_syssn(asked['syssn'])
        if original is None:
            raise Refused('1268')
        amount = asked['txamt']
        self._check_refund(original, amount)
        order = self._new_refund(
            original, amount, asked['out_trade_no'], asked['txdtm'], asked.get('udid', '')
        )
        said = ''
        if self.settings.refund == 'decline':
            order.respcd, said = self.settings.refund_code, self.settings.refund_words
        else:
            original.reserved_minor += amount
        if order.open or self.settings.failed_rows:
            self._add(order)
        if self.settings.refund == 'approve':
            await self._finish(order, PAID, before_answer=True)
        fields = self._fields(order) | {'orig_syssn': original.syssn}
        return Answer(order.respcd, '', fields, said=said)

    def _check_refund(self, original, amount):
        settings, left = self.settings, original.refundable_minor
        if original.kind != 'payment':
            raise Refused('1136')
        undone = original.cancel in ('1', '2') and not original.refunded_minor
        if original.respcd != PAID or undone:
            raise Refused('1261')
        kind = PAY_TYPES[original.pay_type]
        if not kind.refundable and not (kind.wallet == 'fps' and settings.fps_refunds):
            raise Refused('1155')
        self._check_time_of_refund(original, kind.wallet)
        if settings.refund_busy and self.book.open_refund(original):
            raise Refused(settings.refund_busy, said='busy')
        if not left:
            raise Refused(settings.refunded_code, 'wrong cancel')
        if amount > left:
            raise Refused('1272')
        if amount < original.amount_minor:
            if original.pay_type in (settings.whole_today or ()) and self._is_today(original):
                raise Refused('1124')
            if original.pay_type in (settings.no_partial or ()):
                raise Refused('1271')
            if original.currency in (settings.no_partial_currencies or ()):
                raise Refused('1270')
        if settings.turnover_check and amount > self.book.turnover(original, self.now()):
            raise Refused('1269')

    def _check_time_of_refund(self, original, wallet):
        days = REFUND_DAYS.get(wallet) if self.settings.refund_periods else None
        paid = moment(original.paydtm)
        if days and paid and self.now() > paid + timedelta(days=days):
            raise Refused(TOO_LATE.get(wallet, TOO_LATE_ELSE), said='too_late')
        if self.settings.refund_blackout and _is_night(self.now()):
            raise Refused('1265')

    def _is_today(self, order):
        return order.paydtm[:10] == stamp(self.now())[:10]

    def _new_refund(self, original, amount, reference, txdtm, udid):
        moment_now = self.now()
        order = Order(
            kind='refund',
            reference=reference,
            syssn=self.book.new_syssn(moment_now),
            asked_type=original.asked_type,
            pay_type=original.pay_type,
            amount_minor=amount,
            currency=original.currency,
            txdtm=txdtm,
            created=moment_now,
            respcd=WAITING,
            mchid=original.mchid,
            udid=udid,
            goods_name=original.goods_name,
            notify_url=original.notify_url,
            original=original,
        )
        if self.settings.refund == 'pending':
            order.plan = (time.monotonic() + self.settings.refund_seconds, 'pay')
        return order

    # Close and reversal

    async def reversal(self, asked):
        """End an order that nobody has paid, by undoing it (the protocol, B9)."""
        return await self._call_off('reversal', asked)

    async def close(self, asked):
        """End an order that nobody has paid, by closing it (the protocol, B9)."""
        return await self._call_off('close', asked)

    async def _call_off(self, call, asked):
        order = self._order_to_end(asked)
        how = self.settings.call_off
        allowed = CANCEL_LISTS[self.settings.cancel_lists][call]
        if how == 'unsupported' or not {order.pay_type, order.asked_type} & allowed:
            raise Refused('1297')
        if how == 'paid_before' and order.open:
            await self._finish(order, PAID)
        self._check_open(order)
        fields = {
            'syssn': self.book.new_syssn(self.now()),
            'orig_syssn': order.syssn,
            'out_trade_no': order.reference,
            'txamt': self.style(order.amount_minor),
            'txcurrcd': order.currency,
            'txdtm': asked['txdtm'],
            'sysdtm': stamp(self.now()),
            'chnlsn': '',
        }
        if how == 'processing':
            order.plan = (time.monotonic() + self.settings.password_seconds, call)
            order.wake.set()
            return Answer(PROCESSING, '', fields)
        if how == 'paid_after':
            order.plan = (time.monotonic() + self.settings.password_seconds, 'pay')
            order.wake.set()
        else:
            self._end_unpaid(order, call)
        return Answer(PAID, '', fields)

    def _order_to_end(self, asked):
        if 'syssn' in asked:
            order = self.book.by_syssn(asked['syssn'])
        elif 'out_trade_no' in asked:
            order = self.book.by_reference(asked['out_trade_no'])
        else:
            raise Refused('1104', 'syssn or out_trade_no')
        if order is None or order.kind != 'payment':
            raise Refused('1268')
        if asked.get('out_trade_no', order.reference) != order.reference:
            raise Refused('1267')
        if asked['txamt'] != order.amount_minor:
            raise Refused('1266')
        if self.settings.strict_txdtm and asked['txdtm'] != order.txdtm:
            raise Refused('1267', 'txdtm is not that of the order')
        return order

    def _check_open(self, order):
        if order.paid:
            raise Refused('1260')
        if order.respcd == PAID:
            raise Refused('1262' if order.refunded_minor else '1263')
        if not order.open:
            known = ('1142', '1181', '1263', '1264')
            raise Refused(order.respcd if order.respcd in known else '1136')
        age = time.monotonic() - order.started
        wechat = PAY_TYPES[order.pay_type].wallet == 'wechat'
        if wechat and age < self.settings.wechat_close_seconds:
            raise Refused('1136', 'too early')

    def _end_unpaid(self, order, call):
        order.cancel = '1' if order.scanned else '2'
        order.respcd = self.settings.closed_row or ('1264' if call == 'close' else '1263')
        self._changed(order)

    # What becomes of an order

    def _add_twin(self, order):
        """One more row under the number of a payment, if there is to be one."""
        state = self.settings.twin
        if state is None:
            return
        twin = replace(
            order,
            syssn=self.book.new_syssn(self.now()),
            respcd='1205' if state == 'failed' else WAITING,
            created_at=order.created_at + (-1 if state == 'failed' else 1),
            paid_with=order if state == 'paid' else None,
            expires=None,
            paydtm='',
            wake=asyncio.Event(),
        )
        self.book.add_twin(twin)

    def _add(self, order):
        self.book.add(order)
        self.hub.changed()
        if order.open:
            task = asyncio.get_running_loop().create_task(self._live(order))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _live(self, order):
        """Wait until somebody acts: the customer, the settings, a plan, or the clock."""
        while order.open:
            order.wake.clear()
            events = self._events(order)
            if events:
                left, action = min(events)
                if left <= 0:
                    await self._step(order, action)
                    continue
                # Not for ever: a machine that slept has a clock that jumped.
                timeout = min(left, 3600)
            else:
                timeout = None
            try:
                await asyncio.wait_for(order.wake.wait(), timeout)
            except asyncio.TimeoutError:
                continue

    def _events(self, order):
        """What will happen by itself: seconds from now, and the action."""
        events = []
        if order.expires:
            events.append(((order.expires - self.now()).total_seconds(), 'expire'))
        if order.plan:
            when, action = order.plan
            events.append((when - time.monotonic(), action))
        auto = self.settings.auto
        shown = order.kind == 'payment' and not order.scanned
        if auto and shown and not (auto == 'scan' and order.respcd == PROCESSING):
            left = order.started + self.settings.auto_delay - time.monotonic()
            events.append((left, auto))
        return events

    async def _step(self, order, action):
        order.plan = None
        if action in ('close', 'reversal'):
            self._end_unpaid(order, action)
        elif action == 'scan':
            order.respcd = PROCESSING
            self._changed(order)
        elif action == 'refuse':
            await self._finish(order, self.settings.refuse_code)
        else:
            await self._finish(order, STEPS[action])

    async def _finish(self, order, code, *, before_answer=False):
        """The order is decided; a success is announced."""
        original = order.original
        if code == PAID:
            order.paydtm = stamp(self.now())
            order.paid_at = time.time()
            order.chnlsn = digits(28)
            order.cardcd = digits(16)
            order.cancel = '0'
            if original:
                original.refunded_minor += order.amount_minor
                whole = '3' if not original.scanned else self.settings.cpm_refund_cancel
                rest = original.amount_minor - original.refunded_minor
                original.cancel = '5' if rest else whole
        elif original:
            original.reserved_minor -= order.amount_minor
        order.respcd = code
        self._changed(order)
        if code == PAID:
            await self.notices.announce(order, before_answer=before_answer)
            for twin in self.book.paid_with(order):
                await self._finish(twin, PAID)

    def _changed(self, order):
        order.wake.set()
        self.hub.changed()

    async def act(self, order, action, code=None, *, late=False, amount=None):
        """Somebody does something with an order, at the phone or in QFPay's portal.

        :param action: ``scan``, ``pay``, ``refuse``, ``fail``, ``expire``, ``close``; ``refund``
            gives ``amount`` (or the rest) back; ``notify`` sends one more notification, ``forge``
            one that somebody else has signed
        :param code: the code of a refusal or failure
        :param bool late: pay an order that has ended already
        :raises NotNow: this cannot be at this moment
        """
        if action == 'forge':
            self._send(order, 'forged')
        elif action == 'notify':
            if order.respcd != PAID:
                raise NotNow('only successes are notified')
            self._send(order, 'normal')
        elif action == 'refund':
            await self._refund_at_portal(order, amount)
        else:
            await self._decide(order, action, code, late)

    def _send(self, order, mode):
        if not self.notices.send(order, mode):
            raise NotNow('there is no address for notifications')

    async def _decide(self, order, action, code, late):
        if not order.open and not (action == 'pay' and late and not order.paid):
            raise NotNow(f'{order.reference} has ended, with {order.respcd}')
        if order.original and not order.open:
            order.original.reserved_minor += order.amount_minor
        if action == 'scan':
            order.respcd = PROCESSING
            self._changed(order)
        elif action == 'close':
            self._end_unpaid(order, 'close')
        elif action in ('refuse', 'fail'):
            refusal = self.settings.refuse_code
            if order.kind == 'refund':
                refusal = self.settings.refund_code
            await self._finish(order, code or refusal)
        else:
            await self._finish(order, STEPS[action])

    async def _refund_at_portal(self, original, amount):
        amount = amount or original.refundable_minor
        try:
            self._check_refund(original, amount)
        except Refused as refused:
            raise NotNow(str(refused)) from None
        order = self._new_refund(original, amount, self.book.new_reference(), stamp(self.now()), '')
        original.reserved_minor += amount
        self._add(order)
        await self._finish(order, PAID)

    # Fields of answers

    def style(self, number):
        return number if self.settings.numbers else str(number)

    def _fields(self, order):
        """What an answer says about an order (the protocol, B6.2)."""
        fields = {
            'pay_type': order.pay_type,
            'out_trade_no': order.reference,
            'syssn': order.syssn,
            'txamt': self.style(order.amount_minor),
            'txcurrcd': order.currency,
            'txdtm': order.txdtm,
            'sysdtm': order.sysdtm,
            'paydtm': order.paydtm,
            'chnlsn': order.chnlsn,
            'cardcd': order.cardcd,
            'udid': order.udid,
        }
        return fields | ({'mchid': order.mchid} if order.mchid else {})


def _is_night(moment_now):
    clock = moment_now.strftime('%H:%M:%S')
    return clock >= '23:30:00' or clock < '00:30:00'
