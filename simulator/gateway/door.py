"""The gateway's port: requests in, signed answers out, faults in between (the protocol, B2-B5)."""

import asyncio
import json
import time
from collections import Counter, deque
from dataclasses import replace
from email.utils import formatdate
from math import ceil

from aiohttp import web

from ..bad_answers import BAD_ANSWERS, good, hold, silent
from ..listener import Listener, is_cut
from .catalogue import OPEN_CODES, PAID, PAY_TYPES, text
from .limits import Limits
from .merchant import Answer
from .reading import CALLS, Refused, pairs_of, read
from .signing import signature

BODY_LIMIT = 64 * 1024
LOG_LENGTH = 20_000
OTHER_KEY = 'this is not the key of this merchant'
WIRE_FAULTS = BAD_ANSWERS | {'lost_after_commit': silent, 'hang_after_commit': hold}
HTTP_REFUSALS = {'http_503': (503, 'Service Unavailable'), 'http_429': (429, 'Too Many Requests')}


class GatewayDoor(Listener):
    """The port of one gateway.

    :param merchant: the :class:`~simulator.gateway.merchant.Merchant` behind it
    """

    def __init__(self, merchant, host, port):
        self.merchant = merchant
        self.settings = merchant.settings
        self.limits = Limits()
        self.log = deque(maxlen=LOG_LENGTH)
        self.counts = Counter()
        self._late = set()
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_route('*', '/{path:.*}', self._serve)
        super().__init__(app, host, port)

    def reset(self):
        for task in self._late:
            task.cancel()
        self.limits.reset()
        self.log.clear()
        self.counts.clear()

    # One request

    async def _serve(self, request):
        call = CALLS.get(request.path)
        entry = {
            'at': time.time(),
            'method': request.method,
            'path': request.path,
            'call': call.name if call else None,
            'sign_type': request.headers.get('X-QF-SIGNTYPE'),
            'fields': {},
            'status': None,
            'answer': None,
            'note': '',
            'fault': None,
            'answered_at': None,
        }
        self.log.append(entry)
        self.counts[call.name if call else 'other'] += 1
        try:
            response = await self._answer(request, call, entry)
        except ConnectionError:
            return web.Response()
        # The clock of the settings, not of this machine.
        response.headers['Date'] = formatdate(self.merchant.now().timestamp(), usegmt=True)
        entry['status'] = entry['status'] or response.status
        entry['answered_at'] = time.time()
        self.merchant.hub.changed()
        return response

    async def _answer(self, request, call, entry):
        settings = self.settings
        who = request.headers.get('X-QF-APPCODE') == settings.app_code
        wait = self.limits.admit(who, settings.per_second, settings.per_minute)
        if wait:
            self.counts['rate_limited'] += 1
            return self._plain(429, 'Too Many Requests', wait)
        if call is None:
            known = request.method in ('GET', 'POST')
            return self._plain(404, 'Not Found') if known else self._plain(405, 'Not Allowed')
        if request.method not in call.methods:
            return self._plain(405, 'Not Allowed')
        pairs = pairs_of(
            request.method, request.query_string, request.content_type, await request.read()
        )
        entry['fields'] = dict(pairs)
        return await self._carry_out(request, call, pairs, entry)

    async def _carry_out(self, request, call, pairs, entry):
        fault = self._strike('arrival', call, entry)
        if fault in HTTP_REFUSALS:
            self.counts['rate_limited'] += fault == 'http_429'
            return self._plain(*HTTP_REFUSALS[fault])
        if fault == 'code':
            return self._respond(request, entry, Answer(self.settings.fault_code))
        if fault == 'hang':
            await self._wait(request, self.settings.fault_delay)
        if fault == 'late':
            self._do_later(call, pairs, request.headers.copy(), entry)
        if fault in ('drop', 'hang', 'late'):
            entry['status'] = 'cut'
            return await silent(request)
        answer = await self._do(call, pairs, request.headers)
        if fault == 'repeated':
            answer = await self._do(call, pairs, request.headers)
        if answer.lost:
            entry['status'] = 'cut'
            return await silent(request)
        if is_cut(request):
            return web.Response()
        return await self._speak(request, call, entry, answer)

    async def _do(self, call, pairs, headers):
        try:
            asked = read(call, pairs, headers, self.settings)
            return await getattr(self.merchant, call.name)(asked)
        except Refused as refused:
            return Answer(
                refused.code,
                refused.note,
                {'out_trade_no': dict(pairs).get('out_trade_no', '')}
                if call.name != 'query'
                else {},
                said=refused.said,
            )

    def _do_later(self, call, pairs, headers, entry):
        async def work():
            await asyncio.sleep(self.settings.fault_delay)
            answer = await self._do(call, pairs, headers)
            entry['answer'] = answer.respcd

        task = asyncio.get_running_loop().create_task(work())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _wait(self, request, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until and not is_cut(request):
            await asyncio.sleep(min(0.1, until - time.monotonic()))

    def _strike(self, stage, call, entry):
        fault = self.settings.fault_at(stage, call.name)
        if fault:
            entry['fault'] = fault
            self.merchant.hub.changed()
        return fault

    # Answers

    async def _speak(self, request, call, entry, answer):
        fault = self._strike('answer', call, entry)
        if fault in WIRE_FAULTS:
            body = self._body(call.name, answer)
            entry['answer'] = answer.respcd
            if fault == 'lost_after_commit':
                entry['status'] = 'cut'
            return await WIRE_FAULTS[fault](request, body, self._signature(body, answer))
        if fault == 'slow_answer':
            await asyncio.sleep(self.settings.fault_delay)
        if fault == 'code_after_commit':
            answer = Answer(self.settings.fault_code)
        return self._respond(request, entry, answer, fault)

    def _respond(self, request, entry, answer, fault=None):
        body = self._body(entry['call'], spoiled(answer, fault))
        entry['answer'] = answer.respcd
        entry['note'] = answer.note
        headers = self._signature(body, answer)
        if fault == 'missing_signature':
            headers = {}
        elif fault == 'wrong_signature':
            headers['X-QF-SIGN'] = signature(body, OTHER_KEY, self.settings.answer_sign_type)
        return good(body, headers)

    def _body(self, call, answer):
        """The bytes, as Python's own JSON writer makes them: that is how QFPay's look."""
        head = {
            'respcd': answer.respcd,
            'resperr': text(answer.respcd, self.settings.language, answer.said),
            'respmsg': answer.note,
        }
        nested = self.settings.envelope == 'nested' and call != 'query'
        return json.dumps(head | (nest(answer) if nested else answer.fields)).encode()

    def _signature(self, body, answer):
        """The headers that sign an answer. A stranger's app code has no key to sign with."""
        settings = self.settings
        if answer.respcd == '1106' or (answer.respcd == '1108' and not settings.sign_refusals):
            return {}
        sign_type = settings.answer_sign_type
        headers = {'X-QF-SIGN': signature(body, settings.client_key, sign_type)}
        return headers | ({} if sign_type == 'MD5' else {'X-QF-SIGNTYPE': sign_type})

    def _plain(self, status, words, wait=0.0):
        headers = {}
        if status == 429 and self.settings.retry_after:
            headers['Retry-After'] = str(ceil(self.settings.retry_after))
        return web.Response(status=status, text=f'{status} {words}\n', headers=headers)


def nest(answer):
    """The same answer in the shape of the generic page of the documents (the protocol, B5)."""
    fields = dict(answer.fields)
    shown = 'pay_type' in fields and not PAY_TYPES[fields['pay_type']].scanned
    state = 'SUCCESS' if answer.respcd == PAID else 'FAILED'
    if answer.respcd in OPEN_CODES or (shown and 'qrcode' in fields):
        state = 'PENDING'
    if 'syssn' in fields:
        fields['qf_trade_no'] = fields.pop('syssn')
    return {'data': fields | {'txstatus': state}}


def spoiled(answer, fault):
    """The answer with one thing wrong in it; without a fault as it is."""
    fields = dict(answer.fields)
    if isinstance(fields.get('data'), list):
        fields['data'] = [_spoiled(one, fault) for one in fields['data']]
    return replace(answer, fields=_spoiled(fields, fault))


def _spoiled(fields, fault):
    fields = dict(fields)
    if fault == 'wrong_amount' and 'txamt' in fields:
        fields['txamt'] = type(fields['txamt'])(int(fields['txamt']) * 2)
    elif fault == 'wrong_currency' and 'txcurrcd' in fields:
        fields['txcurrcd'] = 'USD' if fields['txcurrcd'] != 'USD' else 'HKD'
    elif fault == 'wrong_reference' and 'out_trade_no' in fields:
        fields['out_trade_no'] = 'another-sale-1'
    elif fault == 'wrong_merchant':
        fields['mchid'] = 'SOMEONE_ELSE'
    return fields
