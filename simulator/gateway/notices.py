"""Notifications: signed, and repeated until they are taken (the protocol, B10)."""

import asyncio
import json
import time
from collections import deque

import aiohttp

from .catalogue import PAID
from .signing import signature

#: seconds after a refused attempt until the next one
SCHEDULE = (120, 600, 600, 3600, 7200, 21600, 54000)
TIMEOUT = aiohttp.ClientTimeout(total=10)
LOG_LENGTH = 20_000
OTHER_KEY = 'this is not the key of this merchant'


class Notices:
    """Sends the notifications of one gateway.

    :param settings: its :class:`~simulator.gateway.settings.GatewaySettings`
    :param hub: told of every attempt
    """

    def __init__(self, settings, hub):
        self.settings = settings
        self.hub = hub
        self._tasks = set()
        self._session = None
        self.sent = deque(maxlen=LOG_LENGTH)

    def reset(self):
        """Forget what was sent, and what was still to be sent."""
        for task in self._tasks:
            task.cancel()
        self.sent.clear()

    async def close(self):
        self.reset()
        if self._session is not None:
            await self._session.close()

    async def announce(self, order, *, before_answer=False):
        """Tell of a success, in the way that the settings say.

        :param bool before_answer: the caller's HTTP answer waits for this; with the mode *first*
            it returns when the first attempt is over
        """
        mode = self.settings.notify_mode
        url = self._address(order)
        if url is None or mode == 'never':
            return
        delay = self.settings.late_seconds if mode == 'late' else self.settings.notify_delay
        taken = asyncio.get_running_loop().create_future()
        for _ in range(2 if mode == 'twice' else 1):
            self._start(self._deliver(order, url, mode, delay, taken))
        if before_answer and mode == 'first':
            await taken

    def send(self, order, mode='normal'):
        """One more notification, now and without repeats, whatever the settings say.

        :return: whether there is an address to send it to
        """
        url = self._address(order)
        if url is not None:
            self._start(self._attempt(order, url, mode, 1))
        return url is not None

    def _address(self, order):
        own = order.notify_url if self.settings.obey_notify_url else ''
        return own or self.settings.notify_url

    def _start(self, work):
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, order, url, mode, delay, taken):
        try:
            await asyncio.sleep(delay)
            for attempt in range(1, len(SCHEDULE) + 2):
                record = await self._attempt(order, url, mode, attempt)
                if not taken.done():
                    taken.set_result(None)
                if record['taken'] or attempt > len(SCHEDULE):
                    return
                wait = SCHEDULE[attempt - 1] / self.settings.time_factor
                record['next_at'] = time.time() + wait
                await asyncio.sleep(wait)
        finally:
            if not taken.done():
                taken.cancel()

    async def _attempt(self, order, url, mode, attempt):
        content = notification(order, self.settings)
        spoil(content, mode)
        # QFPay writes its JSON with ", " and ": " and with escapes; a receiver that checks the
        # signature over its own rendering is to fail.
        body = json.dumps(content).encode()
        key = OTHER_KEY if mode == 'forged' else self.settings.client_key
        headers = {'Content-Type': 'application/json'}
        if mode != 'unsigned':
            headers['X-QF-SIGN'] = signature(body, key)
        record = {
            'at': time.time(),
            'out_trade_no': content['out_trade_no'],
            'syssn': order.syssn,
            'notify_type': content['notify_type'],
            'mode': mode,
            'url': url,
            'attempt': attempt,
            'status': None,
            'answer': '',
            'taken': False,
            'seconds': None,
            'next_at': None,
        }
        self.sent.append(record)
        await self._post(url, body, headers, record)
        record['seconds'] = round(time.time() - record['at'], 4)
        self.hub.changed()
        return record

    async def _post(self, url, body, headers, record):
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=TIMEOUT)
        try:
            async with self._session.post(
                url, data=body, headers=headers, allow_redirects=False
            ) as response:
                record['status'] = response.status
                record['answer'] = (await response.content.read(200)).decode(errors='replace')
        except (aiohttp.ClientError, OSError, ValueError, asyncio.TimeoutError) as error:
            record['answer'] = f'{type(error).__name__}: {error}'
        record['taken'] = record['status'] == 200 and record['answer'].strip() == 'SUCCESS'


def notification(order, settings):
    """The fields of the body; a refund's ``syssn`` is its own."""
    content = {
        'status': '1',
        'pay_type': order.pay_type,
        'sysdtm': order.sysdtm,
        'paydtm': order.paydtm,
        'goods_name': order.goods_name,
        'txcurrcd': order.currency,
        'txdtm': order.txdtm,
        'txamt': order.amount_minor if settings.numbers else str(order.amount_minor),
        'out_trade_no': order.reference,
        'syssn': order.syssn,
        'cancel': '0',
        'respcd': PAID,
        'notify_type': 'payment',
        'chnlsn': order.chnlsn,
    }
    if order.mchid:
        content['mchid'] = order.mchid
    if order.original:
        content |= {
            'notify_type': settings.refund_type,
            'orig_syssn': order.original.syssn,
            'orig_out_trade_no': order.original.reference,
        }
    return content


def spoil(content, mode):
    """Put something in that is not true, if the mode says so."""
    if mode == 'other_amount':
        content['txamt'] = type(content['txamt'])(int(content['txamt']) * 2)
    elif mode == 'other_currency':
        content['txcurrcd'] = 'USD' if content['txcurrcd'] != 'USD' else 'HKD'
    elif mode == 'other_merchant':
        content['mchid'] = 'SOMEONE_ELSE'
    elif mode == 'other_reference':
        content['out_trade_no'] = 'another-sale-1'
