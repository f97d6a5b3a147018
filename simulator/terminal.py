"""The machine in front of the customer (the protocol, A12).

One trade or refund at a time, in a task of its own, so that it goes on whatever becomes of the
connection that asked for it::

    IDLE -- 1001 --> WAIT_CUSTOMER -- approve, decline --> PROCESSING --> RESULT --> IDLE
                          |                                                ^
                          +----------- cancel, 5001, time-out -------------+
    IDLE -- 1002 --> REFUNDING --------------------------------------------^

A 5001 stops a job in WAIT_CUSTOMER and nothing else. In PROCESSING it is answered, and the
payment is approved all the same: that is the race a till has to survive (A12.3).
"""

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from .book import TEXTS, RefundRefused, now, stamp
from .commands import CHANNELS, NAMES

MESSAGES = {
    '6000': 'success',
    '6001': 'cancelled',
    '6002': 'request error',
    '4003': 'request denied',
    '4004': 'wrong method',
    '4005': 'other error',
    '4006': 'bad parameters',
    '4007': 'not logged in',
    '5001': 'decryption failed',
    '9999': 'no such code',
}
LOG_LENGTH = 20_000
MERCHANT = {'mchntnm': 'SIMULATOR SHOP', 'userid': '10000001'}


class State(str, Enum):
    IDLE = 'IDLE'
    WAIT_CUSTOMER = 'WAIT_CUSTOMER'
    PROCESSING = 'PROCESSING'
    REFUNDING = 'REFUNDING'
    RESULT = 'RESULT'


@dataclass(frozen=True)
class Answer:
    """What the terminal says to one command. ``charged``: money moved for it."""

    respcd: str
    resperr: str = ''
    data: dict | None = None
    charged: bool = False

    @property
    def respmsg(self):
        return MESSAGES[self.respcd]


class Interrupted(Exception):
    """The terminal was reset while a till waited for it; there is no answer."""


class NotNow(Exception):
    """A button was pressed that does nothing at this moment."""


@dataclass
class Job:
    """A payment or a refund under way."""

    kind: str
    amount_minor: int
    channel: str
    answer: asyncio.Future
    reference: str | None = None
    busicd: str = ''
    mode: str = ''
    move_to_back: bool = False
    timeout: float | None = None
    trade: object = None
    action: str | None = None
    acted_at: float | None = None
    started_at: float = field(default_factory=time.time)
    started: float = field(default_factory=time.monotonic)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def press(self, action):
        """The first press counts; later ones come too late."""
        if self.action is None:
            self.action = action
            self.acted_at = time.time()
            self.wake.set()

    def finish(self, answer):
        """Answer the till; a job that was answered early keeps its answer."""
        if not self.answer.done():
            self.answer.set_result(answer)


class Terminal:
    """One terminal: takes checked commands, answers them, and has buttons.

    :param int index: its place in the simulator, from 0
    :param book: the merchant's :class:`~simulator.book.Book`
    :param settings: its :class:`~simulator.settings.Settings`
    :param hub: told of every change
    :param notifier: sends QFPay's notification after a trade
    """

    def __init__(self, index, book, settings, hub, notifier):
        self.index = index
        self.book = book
        self.settings = settings
        self.hub = hub
        self.notifier = notifier
        self.log = deque(maxlen=LOG_LENGTH)
        self.udid = f'SIM{index + 1:05d}'
        self._tasks = set()
        self._turn_on()

    def _turn_on(self):
        self.state = State.IDLE
        self.job = None
        self.last = None
        self._scan_type = 'SCAN_PAY'

    def reset(self):
        """Like a new terminal: job, trades, log and settings are gone."""
        for task in self._tasks:
            task.cancel()
        if self.job and not self.job.answer.done():
            self.job.answer.set_exception(Interrupted())
        self._turn_on()
        self.book.forget(self.index)
        self.settings.reset()
        self.notifier.reset()
        self.log.clear()
        self.hub.changed()

    def settings_changed(self):
        """A job that waits looks at the settings anew."""
        if self.job:
            self.job.wake.set()
        self.hub.changed()

    def now(self):
        return now(self.settings.clock_offset)

    # Commands

    async def handle(self, command):
        """Carry out a command and answer it; a payment is answered when the customer is done."""
        if command.func_type == 1001:
            return await self._start_payment(command)
        if command.func_type == 1002:
            return await self._start_refund(command)
        if command.func_type == 4001:
            return self._inquire(command)
        if command.func_type == 5001:
            return self._call_off()
        return self._print(command)

    async def _start_payment(self, command):
        if self.job:
            return Answer('4003', 'terminal is busy')
        if command.reference and not self.book.use_reference(command.reference, self.index):
            return Answer('6002', TEXTS['1102'], self._refusal('1102', command.reference))
        channel = CHANNELS[command.channel]
        mode, busicd = self._way_to_pay(channel, command.scan_type)
        timeout = command.payment_timeout or self.settings.default_timeout
        if channel.is_card and command.wait_card_timeout:
            timeout = min(timeout, command.wait_card_timeout)
        job = Job(
            kind='payment',
            amount_minor=command.amount_minor,
            channel=command.channel,
            answer=asyncio.get_running_loop().create_future(),
            reference=command.reference,
            busicd=busicd,
            mode=mode,
            move_to_back=command.move_to_back,
            timeout=timeout,
        )
        row_from = self.settings.row_from
        if row_from == 'start' or (row_from == 'channel' and mode == 'shown'):
            job.trade = self._open_row(job, '1143')
        self._take(job, State.WAIT_CUSTOMER, self._pay(job))
        return await asyncio.shield(job.answer)

    def _way_to_pay(self, channel, scan_type):
        """Card, scanned or shown code, and the pay type for it (the protocol, A7)."""
        if channel.present:
            return 'present', channel.present
        if not channel.scanned:
            return 'shown', channel.shown
        self._scan_type = scan_type or self._scan_type
        if self._scan_type == 'SCAN_PAY':
            return 'scanned', channel.scanned
        return 'shown', channel.shown

    async def _start_refund(self, command):
        if self.job:
            return Answer('4003', 'terminal is busy')
        try:
            payment, amount = self.book.check_refund(
                command.order_id,
                command.amount_minor,
                CHANNELS,
                self.now(),
                blackout=self.settings.refund_blackout,
                periods=self.settings.refund_periods,
            )
        except RefundRefused as refused:
            block = self._refusal(refused.code) | {'resmsg': str(refused)}
            return Answer('6002', str(refused), block)
        job = Job(
            kind='refund',
            amount_minor=amount,
            channel=payment.channel,
            answer=asyncio.get_running_loop().create_future(),
            reference=payment.reference,
            busicd=payment.busicd,
            move_to_back=command.move_to_back,
        )
        self._take(job, State.REFUNDING, self._give_back(job, payment))
        return await asyncio.shield(job.answer)

    def _take(self, job, state, work):
        self.job = job
        self._show(state)
        self._run(work)

    def _run(self, work):
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _inquire(self, command):
        trade = self.book.find(syssn=command.order_id, reference=command.reference)
        if trade is None:
            return Answer('6002', "order doesn't exist")
        return Answer('6000', data=self._inquiry_block(trade))

    def _call_off(self):
        if self.state is State.WAIT_CUSTOMER and self.job.action is None:
            self.job.press('call_off')
            return Answer('6000')
        if self.settings.cancel_code == '6000':
            return Answer('6000')
        return Answer('6002', 'nothing that can be cancelled')

    def _print(self, command):
        if self.job:
            return Answer('4003', 'terminal is busy')
        if command.order_id is not None and self.book.find(syssn=command.order_id) is None:
            return Answer('6002', "order doesn't exist")
        self.last = {
            'kind': NAMES[command.func_type],
            'result': 'printed',
            'at': time.time(),
            'reference': command.order_id,
        }
        self._show(State.IDLE)
        return Answer('6000')

    # What happens to a job

    async def _pay(self, job):
        action = await self._customer(job)
        if action in ('cancel', 'call_off', 'timeout'):
            await self._give_up(job, action)
        else:
            await self._process(job, action)

    async def _customer(self, job):
        """Wait until somebody acts: a button, the till, the settings, or the clock."""
        while job.action is None:
            events = [(job.started + job.timeout, 'timeout')]
            if self.settings.mode != 'manual':
                events.append((job.started + self.settings.delay, self.settings.mode))
            when, action = min(events)
            left = when - time.monotonic()
            if left <= 0:
                job.press(action)
                break
            job.wake.clear()
            try:
                await asyncio.wait_for(job.wake.wait(), left)
            except asyncio.TimeoutError:
                continue
        return job.action

    async def _give_up(self, job, action):
        late = self.settings.fault_at('job', 1001) if self._fault_is('late_payment') else None
        expired = action == 'timeout'
        code = self.settings.timeout_code if expired else '6001'
        text = 'timed out' if expired else 'cancelled'
        if late and job.trade is None:
            job.trade = self._open_row(job, '1143')
        elif job.trade is not None and not late:
            job.trade.respcd = '1181' if expired else '1263'
        self._end(job, 'timeout' if expired else 'cancelled', Answer(code, text))
        if late:
            await asyncio.sleep(self.settings.fault_delay)
            self._charge(job)

    async def _process(self, job, action):
        if job.trade is None:
            job.trade = self._open_row(job, '1145')
        job.trade.respcd = '1145'
        self._show(State.PROCESSING)
        if self._fault_is('confirming') and self.settings.fault_at('job', 1001):
            job.finish(Answer('6002', TEXTS['1145'], self._refusal('1145', job.reference)))
            await asyncio.sleep(self.settings.fault_delay)
        await asyncio.sleep(self.settings.processing)
        if action == 'approve':
            self._charge(job)
            self._end(
                job, 'approved', Answer('6000', data=self._trade_block(job.trade), charged=True)
            )
        else:
            code = self.settings.decline_code
            job.trade.respcd = code
            self._end(
                job,
                'declined',
                Answer('6002', TEXTS.get(code, 'declined'), self._refusal(code, job.reference)),
            )

    async def _give_back(self, job, payment):
        while self.settings.refund == 'manual' and job.action is None:
            job.wake.clear()
            await job.wake.wait()
        approved = job.action != 'decline' and self.settings.refund != 'decline'
        await asyncio.sleep(self.settings.processing)
        if not approved:
            self._end(job, 'declined', Answer('6002', TEXTS['1155'], self._refusal('1155')))
            return
        job.trade = self.book.refund(self.index, payment, job.amount_minor, self.now())
        self.notifier.send(job.trade)
        self._end(job, 'refunded', Answer('6000', data=self._refund_block(job.trade), charged=True))

    def _fault_is(self, name):
        return self.settings.fault == name

    def _open_row(self, job, respcd):
        return self.book.open_payment(
            self.index,
            job.channel,
            job.busicd,
            job.amount_minor,
            job.reference,
            self.now(),
            respcd=respcd,
            scanned=job.mode == 'scanned',
        )

    def _charge(self, job):
        card = {}
        if scheme := CHANNELS[job.channel].scheme:
            card = {
                'scheme': self.settings.card_scheme if job.channel == 'card_payment' else scheme,
                'last4': self.settings.card_last4,
                'cardtype': self.settings.card_type,
            }
        self.book.charge(job.trade, self.now(), **card)
        self.notifier.send(job.trade)
        self.hub.changed()

    def _end(self, job, result, answer):
        self.last = {
            'kind': job.kind,
            'result': result,
            'at': time.time(),
            'reference': job.reference,
            'amount': f'{job.amount_minor / 100:.2f}',
            'channel': job.channel,
            'label': CHANNELS[job.channel].label,
            'respcd': answer.respcd,
        }
        self.job = None
        job.finish(answer)
        self._show(State.IDLE if job.move_to_back else State.RESULT)

    def _show(self, state):
        self.state = state
        self.hub.changed()

    # Buttons and screen

    def press(self, button):
        """A finger on the terminal.

        :param button: ``approve`` and ``decline`` are the customer's card, ``cancel`` and
            ``timeout`` end the wait, ``home`` leaves a result screen
        :raises NotNow: the button does nothing at this moment
        """
        if button not in self.buttons():
            raise NotNow(f'{button} does nothing while the terminal is {self.state.value}')
        if button == 'home':
            self._show(State.IDLE)
        else:
            self.job.press(button)
            self.hub.changed()

    def buttons(self):
        """The buttons that do something now."""
        if self.state is State.RESULT:
            return ['home']
        if self.job is None or self.job.action is not None:
            return []
        if self.state is State.WAIT_CUSTOMER:
            return ['approve', 'decline', 'cancel', 'timeout']
        if self.state is State.REFUNDING and self.settings.refund == 'manual':
            return ['approve', 'decline']
        return []

    def screen(self):
        """What can be seen, as plain data; ``seconds_left`` counts down the customer's time."""
        screen = {
            'state': self.state.value,
            'buttons': self.buttons(),
            'job': None,
            'last': self.last,
        }
        if job := self.job:
            screen['job'] = {
                'kind': job.kind,
                'amount': f'{job.amount_minor / 100:.2f}',
                'currency': 'HKD',
                'amount_minor': job.amount_minor,
                'channel': job.channel,
                'label': CHANNELS[job.channel].label,
                'mode': job.mode,
                'busicd': job.busicd,
                'reference': job.reference,
                'started_at': job.started_at,
                'acted_at': job.acted_at,
                'asks': bool(self.buttons()),
                'timeout': job.timeout,
                'seconds_left': job.timeout
                and max(0.0, round(job.started + job.timeout - time.monotonic(), 1)),
            }
        return screen

    # Data blocks of answers (the protocol, A6.2)

    def _refusal(self, code, reference=None):
        block = {'respcd': code, 'resmsg': TEXTS.get(code, 'declined'), 'reserr': ''}
        return block | ({'out_trade_no': reference} if reference else {})

    def _amount(self, minor):
        style = self.settings.amount_style
        if style == 'cents':
            return minor
        return str(minor) if style == 'cents_text' else f'{minor / 100:.2f}'

    def _trade_block(self, trade):
        block = {
            'respcd': trade.respcd,
            'resmsg': 'success',
            'reserr': '',
            **MERCHANT,
            'sysdtm': trade.sysdtm,
            'paydtm': trade.paydtm,
            'udid': self.udid,
            'busicd': trade.busicd,
            'txamt': self._amount(trade.amount_minor),
            'txcurrcd': self.settings.currency_style,
            'syssn': trade.syssn,
            'clisn': trade.clisn,
            'out_trade_no': trade.reference,
            'cardscheme': trade.cardscheme,
            'chnlsn': trade.chnlsn,
        }
        if self.settings.card_in_answer:
            block |= {'cardno': trade.cardno, 'cardtype': trade.cardtype}
        return block

    def _refund_block(self, trade):
        return {
            'respcd': trade.respcd,
            'resmsg': 'success',
            'reserr': '',
            'sysdtm': trade.sysdtm,
            'paydtm': trade.paydtm,
            'txdtm': trade.sysdtm,
            'txcurrcd': self.settings.currency_style,
            'orig_syssn': trade.original.syssn,
            'out_trade_no': trade.reference,
            'syssn': trade.syssn,
            'chnlsn': trade.chnlsn,
            'txamt': self._amount(trade.amount_minor),
            'originTxamt': self._amount(trade.original.amount_minor),
        }

    def _inquiry_block(self, trade):
        """A row as an inquiry shows it (the protocol, A12.5)."""
        original = trade.original
        return {
            'server_time': stamp(self.now()),
            'cancel': trade.cancel,
            'clisn': trade.clisn,
            'opuid': '',
            'syssn': trade.syssn,
            'tradetp': trade.kind,
            'sysdtm': trade.sysdtm,
            'txcurrcd': self.settings.currency_style,
            'origssn': original.syssn if original else '',
            'customer_source': 'HK',
            'opuser': '',
            'nickname': '',
            'allow_refund_amt': self._amount(trade.refundable_minor),
            'desc': '',
            'txamt': self._amount(trade.amount_minor),
            'busicd': trade.busicd,
            'origbusicd': original.busicd if original else '',
            'respcd': trade.respcd,
            'resmsg': TEXTS.get(trade.respcd, 'declined'),
            'reserr': '',
            'chnlsn': trade.chnlsn,
            'cardscheme': trade.cardscheme,
            'cardno': trade.cardno,
            'cardtype': trade.cardtype,
            'batchno': trade.batchno,
            'refno': trade.refno,
        } | ({'out_trade_no': trade.reference} if self.settings.reference_in_inquiry else {})
