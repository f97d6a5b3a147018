"""The notification that QFPay's host posts after a trade (the protocol, A13 and B10).

Sent once, at once and only for successes. The host's later retries are left out: a test that
wants a notification twice asks for it twice.
"""

import asyncio
import hashlib
import json

import aiohttp

from .book import MERCHANT_ID

TIMEOUT = aiohttp.ClientTimeout(total=10)


class Notifier:
    """Sends the notifications of one terminal; off until it has an address."""

    def __init__(self):
        self._tasks = set()
        self.reset()

    def reset(self):
        self.url = self.key = None
        self.delay = 0.0
        self.sent = []

    def configure(self, url, key, delay=0.0):
        """Where to post and what to sign with; ``url`` ``None`` switches it off.

        :raises ValueError: with a sentence about what is wrong
        """
        if url is not None:
            if not isinstance(url, str) or not url.startswith(('http://', 'https://')):
                raise ValueError('url begins with http:// or https://')
            if not isinstance(key, str) or not key:
                raise ValueError('key is the notification key, a text')
        if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay <= 86400:
            raise ValueError('delay is a number of seconds')
        self.url, self.key, self.delay = url, key, delay

    def values(self):
        return {'url': self.url, 'key': self.key, 'delay': self.delay, 'sent': self.sent[-50:]}

    def send(self, trade):
        """Notify of a trade, in the background."""
        if self.url is None:
            return
        # The host writes its JSON with ", " and ": " and with escapes; a receiver that checks the
        # signature over its own rendering is to fail (B10).
        body = json.dumps(notification(trade)).encode()
        task = asyncio.get_running_loop().create_task(
            self._post(self.url, self.key, self.delay, trade, body)
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post(self, url, key, delay, trade, body):
        await asyncio.sleep(delay)
        record = {'syssn': trade.syssn, 'reference': trade.reference, 'status': None, 'answer': ''}
        self.sent.append(record)
        headers = {'Content-Type': 'application/json', 'X-QF-SIGN': signature(body, key)}
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT) as session,
                session.post(url, data=body, headers=headers) as response,
            ):
                record['status'] = response.status
                record['answer'] = (await response.content.read(200)).decode(errors='replace')
        except (aiohttp.ClientError, OSError, asyncio.TimeoutError) as error:
            record['answer'] = f'{type(error).__name__}: {error}'


def signature(body, key):
    """Upper-case hex MD5 of the raw body followed by the key."""
    return hashlib.md5(body + key.encode()).hexdigest().upper()


def notification(trade):
    """The fields of the body; amounts in cents as text."""
    common = {
        'status': '1',
        'notify_type': trade.kind,
        'out_trade_no': trade.reference,
        'syssn': trade.syssn,
        'txamt': str(trade.amount_minor),
        'txcurrcd': 'HKD',
        'txdtm': trade.sysdtm,
        'sysdtm': trade.sysdtm,
        'respcd': '0000',
        'mchid': MERCHANT_ID,
    }
    if trade.original:
        return common | {
            'orig_syssn': trade.original.syssn,
            'orig_out_trade_no': trade.original.reference,
        }
    return common | {
        'pay_type': trade.busicd,
        'chnlsn': trade.chnlsn,
        'chnlsn2': '',
        'paydtm': trade.paydtm,
        'cancel': '0',
        'customer_source': 'HK',
        'cash_fee': str(trade.amount_minor),
        'cash_fee_type': 'HKD',
        'exchange_rate': '',
        'cardcd': trade.cardno,
        'outcardnm': '',
        'goods_name': '',
        'goods_info': '',
    }
