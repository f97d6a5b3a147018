"""A port that can be opened and shut while the simulator runs."""

from aiohttp import web


class Listener:
    """One listening port with one aiohttp application behind it.

    :param app: the application
    :param ssl_context: for HTTPS; without it the port speaks HTTP
    """

    def __init__(self, app, host, port, ssl_context=None):
        self.host = host
        self.port = port
        self._ssl = ssl_context
        self._site = None
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
        """Stop listening and cut what is connected; what is under way behind it goes on."""
        if self._site is not None:
            site, self._site = self._site, None
            await site.stop()
            for connection in list(self._runner.server.connections):
                if connection.transport is not None:
                    connection.transport.abort()

    async def stop(self):
        await self._runner.cleanup()


def address(scheme, host, port):
    """A URL without a path; an IPv6 address gets its brackets."""
    return f'{scheme}://[{host}]:{port}' if ':' in host else f'{scheme}://{host}:{port}'


def cut(request):
    """Close the connection that a request came by."""
    if request.transport is not None:
        request.transport.close()


def is_cut(request):
    """Whether the caller has gone."""
    return request.transport is None or request.transport.is_closing()
