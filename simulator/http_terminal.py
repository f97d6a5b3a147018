"""The terminal's door on port 9001, HTTP or HTTPS (the protocol, A4 and A9).

Requests are served side by side, so that an inquiry or a call-off gets through while a payment
waits for the customer. Whatever goes wrong with a connection stays with that connection.
"""

import asyncio
import random
import time
from decimal import Decimal

from aiohttp import web

from .commands import NAMES, PATHS, read_command
from .terminal import MESSAGES, Answer, Interrupted
from .wire import Cipher, Refusal, answer_bytes, answer_object, read_request

BODY_LIMIT = 64 * 1024
HUGE = 10 * 1024 * 1024
DRIP = 0.1
OTHER_KEY = 'this is not the key of this shop'

LOGIN_PAGE = (
    b'<!DOCTYPE html><html><head><title>Free Wi-Fi</title></head>'
    b'<body><h1>Please accept our terms</h1></body></html>'
)
CORS = {
    'Access-Control-Allow-Methods': 'POST, OPTIONS',
    'Access-Control-Allow-Headers': 'content-type, accept',
    'Access-Control-Max-Age': '600',
}


class HttpDoor:
    """One listening port of one terminal.

    :param terminal: the :class:`~simulator.terminal.Terminal` behind the door
    :param ssl_context: for HTTPS; without it the door speaks HTTP
    """

    def __init__(self, terminal, host, port, ssl_context=None):
        self.terminal = terminal
        self.host = host
        self.port = port
        self._ssl = ssl_context
        self._site = None
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_route('*', '/{path:.*}', self._serve)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.2, handle_signals=False
        )

    @property
    def scheme(self):
        return 'https' if self._ssl else 'http'

    @property
    def url(self):
        return address(self.scheme, self.host, self.port)

    async def start(self):
        """Listen. ``OSError`` when the port cannot be had."""
        await self._runner.setup()
        await self.open()

    async def open(self):
        """Listen (again), on the port that it had before."""
        if self._site is None:
            site = web.TCPSite(self._runner, self.host, self.port, ssl_context=self._ssl)
            await site.start()
            self._site = site
            self.port = self._runner.addresses[0][1]

    async def shut(self):
        """Stop listening and cut what is connected; the terminal's job knows nothing of it."""
        if self._site is not None:
            site, self._site = self._site, None
            await site.stop()
            for connection in list(self._runner.server.connections):
                if connection.transport is not None:
                    connection.transport.abort()

    async def stop(self):
        await self._runner.cleanup()

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
            return await self._hold(request)
        if fault in ('drop', 'silent_before_charge'):
            _close(request)
            if fault == 'drop':
                return web.Response()
        try:
            answer = await terminal.handle(command)
        except Interrupted:
            _close(request)
            return web.Response()
        if _gone(request):
            return web.Response()
        fault = self._strike('answer', entry, command, charged=answer.charged)
        if fault in WIRE_FAULTS:
            return await WIRE_FAULTS[fault](self, request, entry, answer)
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
        return _ok(request, body)

    async def _hold(self, request):
        """Say nothing for as long as the till cares to wait."""
        while not _gone(request):
            await asyncio.sleep(DRIP)
        return web.Response()

    async def _silent(self, request, entry, answer):
        _close(request)
        return web.Response()

    async def _hang(self, request, entry, answer):
        return await self._hold(request)

    async def _garbage(self, request, entry, answer):
        return _ok(request, random.randbytes(300) + b'\xff')

    async def _html(self, request, entry, answer):
        return web.Response(body=LOGIN_PAGE, content_type='text/html', headers=_cors(request))

    async def _empty(self, request, entry, answer):
        return _ok(request, b'')

    async def _truncated(self, request, entry, answer):
        body = self._render(answer)
        head = f'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}'
        lines = [head, *(f'{name}: {value}' for name, value in _cors(request).items())]
        request.transport.write('\r\n'.join(lines).encode() + b'\r\n\r\n' + body[: len(body) // 2])
        _close(request)
        return web.Response()

    async def _http_500(self, request, entry, answer):
        return web.Response(status=500, text='internal error', headers=_cors(request))

    async def _redirect(self, request, entry, answer):
        return web.Response(
            status=302, headers=_cors(request) | {'Location': f'{self.url}/elsewhere'}
        )

    async def _huge(self, request, entry, answer):
        return _ok(request, b'{"respcd":"6000","respmsg":"' + b'a' * HUGE + b'"}')

    async def _flood(self, request, entry, answer):
        return await self._stream(request, b'a' * 65536, 0)

    async def _endless(self, request, entry, answer):
        return await self._stream(request, b'a', DRIP)

    async def _stream(self, request, piece, pause):
        response = web.StreamResponse(headers=_cors(request) | {'Content-Type': 'application/json'})
        try:
            await response.prepare(request)
            await response.write(b'{"respcd":"6000","respmsg":"')
            while True:
                await response.write(piece)
                await asyncio.sleep(pause)
        except ConnectionError:
            return response

    async def _slow_headers(self, request, entry, answer):
        request.transport.write(b'HTTP/1.1 200 OK\r\nX-Slow: ')
        while not _gone(request):
            request.transport.write(b'a')
            await asyncio.sleep(DRIP)
        return web.Response()

    async def _slow_answer(self, request, entry, answer):
        await asyncio.sleep(self.terminal.settings.fault_delay)
        return self._respond(request, entry, answer)


WIRE_FAULTS = {
    'silent_after_charge': HttpDoor._silent,
    'hang_after_charge': HttpDoor._hang,
    'garbage': HttpDoor._garbage,
    'html': HttpDoor._html,
    'empty': HttpDoor._empty,
    'truncated': HttpDoor._truncated,
    'http_500': HttpDoor._http_500,
    'redirect': HttpDoor._redirect,
    'huge': HttpDoor._huge,
    'flood': HttpDoor._flood,
    'endless': HttpDoor._endless,
    'slow_headers': HttpDoor._slow_headers,
    'slow_answer': HttpDoor._slow_answer,
}


def address(scheme, host, port):
    """A URL without a path; an IPv6 address gets its brackets."""
    return f'{scheme}://[{host}]:{port}' if ':' in host else f'{scheme}://{host}:{port}'


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


def _ok(request, body):
    return web.Response(body=body, content_type='application/json', headers=_cors(request))


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


def _close(request):
    if request.transport is not None:
        request.transport.close()


def _gone(request):
    return request.transport is None or request.transport.is_closing()


def _plain(value):
    """A value of a content for the log, which is JSON."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
