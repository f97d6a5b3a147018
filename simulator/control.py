"""The simulator's own HTTP API and its web page.

Everything is JSON. An error is ``{"error": "a sentence"}``: 400 for a value that cannot be,
403 for a request from a foreign page, 404 for an unknown terminal, 409 for a button that does
nothing at this moment.
"""

import logging
from pathlib import Path

from aiohttp import web

from .gateway.control import GatewayControl
from .json_api import body_of, last_of, stream
from .settings import Settings
from .table import SettingRefused
from .terminal import NotNow

STATIC = Path(__file__).with_name('static')
PAGE = {'/': 'index.html'} | {
    f'/{path.name}': path.name for path in STATIC.iterdir() if path.suffix in ('.js', '.css')
}
PAGE_HEADERS = {
    'Content-Security-Policy': "default-src 'self'; img-src 'self' data:",
    'Cache-Control': 'no-cache',
}

_logger = logging.getLogger(__name__)


class Control:
    """The API over a list of stations, each a terminal with its doors, and over the gateway."""

    def __init__(self, stations, hub, gateway):
        self.stations = stations
        self.hub = hub
        self.gateway = gateway

    def app(self):
        """The aiohttp application."""
        app = web.Application(middlewares=[_only_own_pages, _sentences])
        for path in PAGE:
            app.router.add_get(path, self._page)
        one = '/api/terminals/{index:[0-9]+}'
        app.add_routes(
            [
                web.get('/api/form', self._form),
                web.get('/api/events', self._events),
                web.get('/api/terminals', self._all),
                web.get(one, self._one),
                web.post(f'{one}/press', self._press),
                web.get(f'{one}/settings', self._settings),
                web.post(f'{one}/settings', self._change_settings),
                web.get(f'{one}/trades', self._trades),
                web.get(f'{one}/log', self._log),
                web.post(f'{one}/reset', self._reset),
                web.get(f'{one}/webhook', self._webhook),
                web.post(f'{one}/webhook', self._change_webhook),
                *GatewayControl(self.gateway).routes(),
            ]
        )
        return app

    def _station(self, request):
        index = int(request.match_info['index'])
        if index >= len(self.stations):
            raise web.HTTPNotFound(reason=f'there is no terminal {index}')
        return self.stations[index]

    async def _page(self, request):
        return web.FileResponse(STATIC / PAGE[request.path], headers=PAGE_HEADERS)

    async def _form(self, request):
        return web.json_response(Settings.form())

    async def _all(self, request):
        return web.json_response([station.summary() for station in self.stations])

    async def _one(self, request):
        station = self._station(request)
        return web.json_response(
            station.summary()
            | {
                'settings': station.terminal.settings.values(),
                'webhook': station.terminal.notifier.values(),
            }
        )

    async def _press(self, request):
        station = self._station(request)
        button = (await body_of(request)).get('button')
        if button not in ('approve', 'decline', 'cancel', 'timeout', 'home'):
            raise SettingRefused('button is one of: approve, decline, cancel, timeout, home')
        station.terminal.press(button)
        return web.json_response(station.summary())

    async def _settings(self, request):
        return web.json_response(self._station(request).terminal.settings.values())

    async def _change_settings(self, request):
        station = self._station(request)
        station.terminal.settings.update(await body_of(request))
        await station.apply()
        return web.json_response(station.terminal.settings.values())

    async def _trades(self, request):
        terminal = self._station(request).terminal
        rows = [trade.row() for trade in terminal.book.trades if trade.terminal == terminal.index]
        return web.json_response(last_of(request, rows))

    async def _log(self, request):
        return web.json_response(last_of(request, list(self._station(request).terminal.log)))

    async def _reset(self, request):
        station = self._station(request)
        station.terminal.reset()
        await station.apply()
        return web.json_response(station.summary())

    async def _webhook(self, request):
        return web.json_response(self._station(request).terminal.notifier.values())

    async def _change_webhook(self, request):
        values = await body_of(request)
        notifier = self._station(request).terminal.notifier
        try:
            notifier.configure(values.get('url'), values.get('key'), values.get('delay', 0.0))
        except ValueError as error:
            raise SettingRefused(str(error)) from None
        return web.json_response(notifier.values())

    async def _events(self, request):
        """A stream of all terminals' states, one event per change."""
        return await stream(
            request, self.hub, lambda: [station.summary() for station in self.stations]
        )


@web.middleware
async def _only_own_pages(request, handler):
    """A page of somebody else, open in the same browser, must not press buttons here."""
    origin = request.headers.get('Origin')
    if origin and request.method == 'POST' and origin != f'{request.scheme}://{request.host}':
        return web.json_response({'error': f'not for pages of {origin}'}, status=403)
    return await handler(request)


@web.middleware
async def _sentences(request, handler):
    try:
        return await handler(request)
    except SettingRefused as error:
        return web.json_response({'error': str(error)}, status=400)
    except NotNow as error:
        return web.json_response({'error': str(error)}, status=409)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return web.json_response({'error': error.reason}, status=error.status)
    except Exception:
        _logger.exception('%s %s failed', request.method, request.path)
        return web.json_response({'error': 'the simulator made a mistake'}, status=500)
