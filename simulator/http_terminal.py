"""The terminal's door on port 9001, HTTP or HTTPS (the protocol, A4 and A9).

Requests are served side by side, so that an inquiry or a call-off gets through while a payment
waits for the customer. Whatever goes wrong with a connection stays with that connection.
"""

import asyncio
import time
from decimal import Decimal

from aiohttp import web

from .bad_answers import BAD_ANSWERS, good, hold, silent
from .commands import NAMES, PATHS, read_command
from .listener import Listener, cut, is_cut
from .terminal import MESSAGES, Answer, Interrupted
from .wire import Cipher, Refusal, answer_bytes, answer_object, read_request

BODY_LIMIT = 64 * 1024
OTHER_KEY = 'this is not the key of this shop'

CORS = {
    'Access-Control-Allow-Methods': 'POST, OPTIONS',
    'Access-Control-Allow-Headers': 'content-type, accept',
    'Access-Control-Max-Age': '600',
}


class HttpDoor(Listener):
    """One listening port of one terminal.

    :param terminal: the :class:`~simulator.terminal.Terminal` behind the door
    """

    def __init__(self, terminal, host, port, ssl_context=None):
        self.terminal = terminal
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_route('*', '/{path:.*}', self._serve)
        super().__init__(app, host, port, ssl_context)

    # One request

    async def _serve(self, request):
        if request.method == 'OPTIONS':
            return web.Response(status=204, headers=_cors(request, preflight=True))
        entry = {
            'at': time.time(),
            'door': self.scheme,
            'path': request.path,
            'func_type': None,
            'command': None,
            'content': None,
            'answer': None,
            'fault': None,
            'answered_at': None,
        }
        try:
            command = await self._read(request, entry)
        except ConnectionError:
            return web.Response()
        except Refusal as refusal:
            clear = refusal.code in ('4004', '5001') and self.terminal.settings.clear_refusals
            return self._respond(
                request,
                entry,
                Answer(refusal.code, refusal.text),
                shape='object' if clear else None,
            )
        return await self._carry_out(request, entry, command)

    async def _read(self, request, entry):
        """A checked command out of a request; what can be read of it goes to the log."""
        settings = self.terminal.settings
        body = await request.read()
        self.terminal.log.append(entry)
        if request.method != 'POST':
            raise Refusal('4004', 'wrong method, use POST')
        if request.path not in PATHS.values():
            raise Refusal('4006', f'bad parameters: there is no {request.path}')
        content = read_request(
            body,
            settings.cipher(),
            accept_clear=settings.accept_clear,
            strict_digest=settings.strict_digest,
        )
        entry['content'] = {name: _plain(value) for name, value in content.items()}
        command = read_command(content, request.path)
        entry['func_type'] = command.func_type
        entry['command'] = NAMES[command.func_type]
        return command

    async def _carry_out(self, request, entry, command):
        terminal = self.terminal
        fault = self._strike('arrival', entry, command)
        if fault == 'busy':
            return self._respond(request, entry, Answer('4003', 'terminal is busy'))
        if fault == 'logged_out':
            return self._respond(request, entry, Answer('4007', 'please sign in to the app'))
        if fault == 'hang':
            return await hold(request)
        if fault in ('drop', 'silent_before_charge'):
            cut(request)
            if fault == 'drop':
                return web.Response()
        try:
            answer = await terminal.handle(command)
        except Interrupted:
            cut(request)
            return web.Response()
        if is_cut(request):
            return web.Response()
        fault = self._strike('answer', entry, command, charged=answer.charged)
        if fault in WIRE_FAULTS:
            return await WIRE_FAULTS[fault](request, self._render(answer), _cors(request))
        if fault == 'slow_answer':
            await asyncio.sleep(terminal.settings.fault_delay)
        return self._respond(request, entry, spoiled(answer, fault), fault=fault)

    def _strike(self, stage, entry, command, charged=True):
        fault = self.terminal.settings.fault_at(stage, command.func_type, charged=charged)
        if fault:
            entry['fault'] = fault
            self.terminal.hub.changed()
        return fault

    # Answers

    def _render(self, answer, *, shape=None, cipher=None):
        settings = self.terminal.settings
        encrypt = self._ssl is None if settings.encrypt is None else settings.encrypt
        shape = shape or (settings.answer_shape if encrypt else 'object')
        content = answer_object(
            answer.respcd,
            answer.respmsg,
            answer.resperr,
            answer.data,
            data_as_text=settings.data_as_text,
        )
        return answer_bytes(content, cipher or settings.cipher(), shape)

    def _respond(self, request, entry, answer, *, shape=None, fault=None):
        cipher = None
        if fault == 'wrong_key':
            cipher, shape = Cipher(OTHER_KEY), shape or 'base64'
        body = self._render(answer, shape=shape, cipher=cipher)
        _note(entry, answer)
        return good(body, _cors(request))


WIRE_FAULTS = BAD_ANSWERS | {'silent_after_charge': silent, 'hang_after_charge': hold}


def spoiled(answer, fault):
    """The answer with one thing wrong in it; without a fault as it is."""
    if fault == 'request_error_after_charge':
        return Answer('6002', MESSAGES['6002'])
    if fault == 'other_error_after_charge':
        return Answer('4005', MESSAGES['4005'])
    if fault == 'unknown_code':
        return Answer('9999', MESSAGES['9999'])
    if fault == 'no_data':
        return Answer(answer.respcd, answer.resperr)
    if answer.data is None:
        return answer
    data = dict(answer.data)
    if fault == 'inner_pending' and answer.respcd == '6000':
        data['respcd'] = '1145'
    elif fault == 'wrong_amount' and 'txamt' in data:
        data['txamt'] = _doubled(data['txamt'])
    elif fault == 'wrong_currency' and 'txcurrcd' in data:
        data['txcurrcd'] = 'USD'
    elif fault == 'wrong_reference' and 'out_trade_no' in data:
        data['out_trade_no'] = 'another-sale-1'
    return Answer(answer.respcd, answer.resperr, data)


def _doubled(amount):
    if isinstance(amount, int):
        return amount * 2
    return str(Decimal(amount) * 2)


def _note(entry, answer):
    entry['answer'] = answer.respcd
    entry['answered_at'] = time.time()


def _cors(request, *, preflight=False):
    headers = {'Access-Control-Allow-Origin': request.headers.get('Origin', '*')}
    if preflight:
        headers |= CORS
        if request.headers.get('Access-Control-Request-Private-Network') == 'true':
            headers['Access-Control-Allow-Private-Network'] = 'true'
    return headers


def _plain(value):
    """A value of a content for the log, which is JSON."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
