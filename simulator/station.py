"""A terminal together with its doors, as it stands in the shop."""

from .book import Book
from .http_terminal import HttpDoor
from .hub import Hub
from .notifier import Notifier
from .settings import Settings
from .terminal import Terminal


class Station:
    """One terminal and the ports that lead to it."""

    def __init__(self, terminal, doors):
        self.terminal = terminal
        self.doors = doors

    def url(self, scheme):
        """The address of its door of that kind, or ``None``."""
        return next((door.url for door in self.doors if door.scheme == scheme), None)

    async def apply(self):
        """Open or shut the doors as the settings say, and let a waiting job look at them."""
        for door in self.doors:
            if self.terminal.settings.reachable:
                await door.open()
            else:
                await door.shut()
        self.terminal.settings_changed()

    def summary(self):
        """What an onlooker sees, as plain data."""
        settings = self.terminal.settings
        trades = self.terminal.book.trades
        return {
            'index': self.terminal.index,
            'port': self.doors[0].port,
            'url': self.url('http'),
            'url_https': self.url('https'),
            'screen': self.terminal.screen(),
            'state': self.terminal.state.value,
            'mode': settings.mode,
            'fault': settings.fault,
            'fault_count': settings.fault_count,
            'reachable': settings.reachable,
            'requests': len(self.terminal.log),
            'trades': sum(trade.terminal == self.terminal.index for trade in trades),
        }


class Shop:
    """All stations of one simulator, one merchant's book between them."""

    def __init__(self, initial_settings):
        self.hub = Hub()
        self.book = Book()
        self.stations = []
        self._initial = initial_settings

    async def add(self, host, port, https_port=None, ssl_context=None):
        """Set up one more terminal and listen. ``OSError`` when a port cannot be had."""
        terminal = Terminal(
            len(self.stations), self.book, Settings(self._initial), self.hub, Notifier()
        )
        station = Station(terminal, [])
        self.stations.append(station)
        doors = [HttpDoor(terminal, host, port)]
        if https_port is not None:
            doors.append(HttpDoor(terminal, host, https_port, ssl_context))
        for door in doors:
            station.doors.append(door)
            await door.start()
        return station

    async def close(self):
        for station in self.stations:
            for door in station.doors:
                await door.stop()
