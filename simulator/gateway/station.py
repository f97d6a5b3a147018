"""The gateway as a whole: one merchant, its port, its notifications."""

from ..hub import Hub
from .door import GatewayDoor
from .merchant import Merchant
from .notices import Notices
from .settings import GatewaySettings

#: orders in the picture for the page
SHOWN_ORDERS = 20


class Gateway:
    """Everything that makes a gateway.

    :param initial_settings: names to values that differ from the table's and survive a reset
    """

    def __init__(self, host, port, initial_settings):
        self.hub = Hub()
        self.settings = GatewaySettings(initial_settings)
        self.notices = Notices(self.settings, self.hub)
        self.merchant = Merchant(self.settings, self.notices, self.hub)
        self.door = GatewayDoor(self.merchant, host, port)

    async def start(self):
        """Listen. ``OSError`` when the port cannot be had."""
        await self.door.start()

    async def close(self):
        self.merchant.reset()
        await self.door.stop()
        await self.notices.close()

    async def apply(self):
        """Open or shut the port as the settings say, and let open orders look at them."""
        if self.settings.reachable:
            await self.door.open()
        else:
            await self.door.shut()
        self.merchant.settings_changed()
        self.hub.changed()

    async def reset(self):
        """Like new: no orders, log or notifications; settings as at the start."""
        self.settings.reset()
        self.merchant.reset()
        self.notices.reset()
        self.door.reset()
        await self.apply()

    def find(self, number):
        """An order by our number or QFPay's; ``last`` is the newest payment."""
        book = self.merchant.book
        if number == 'last':
            payments = (order for order in reversed(book.orders) if order.kind == 'payment')
            return next(payments, None)
        return book.by_reference(number) or book.by_syssn(number)

    def summary(self):
        """What an onlooker sees, as plain data."""
        orders = self.merchant.book.orders
        limits = self.door.limits
        counts = self.door.counts
        return {
            'url': self.door.url,
            'port': self.door.port,
            'server_time': self.merchant.now().strftime('%Y-%m-%d %H:%M:%S'),
            'settings': self.settings.values(),
            'orders': len(orders),
            'open': sum(order.open for order in orders),
            'requests': dict(counts),
            'rate_limited': counts['rate_limited'],
            'busiest_second': limits.busiest_second,
            'busiest_minute': limits.busiest_minute,
            'notifications': len(self.notices.sent),
        }

    def picture(self):
        """What the page shows: the summary and the newest orders, and all that are open."""
        now = self.merchant.now()
        orders = self.merchant.book.orders
        shown = set(map(id, orders[-SHOWN_ORDERS:]))
        return self.summary() | {
            'shown': [order.view(now) for order in orders if order.open or id(order) in shown]
        }
