"""The gateway's part of the control API: settings, orders, the customer's phone."""

import asyncio

import qrcode
from aiohttp import web

from ..json_api import body_of, last_of, stream
from ..table import SettingRefused
from .catalogue import DECIMALS
from .phone import SCRIPTS, WALLETS

ACTIONS = ('scan', 'pay', 'refuse', 'fail', 'expire', 'close', 'refund', 'notify', 'forge')


class GatewayControl:
    """The API over one gateway.

    :param gateway: the :class:`~simulator.gateway.station.Gateway`
    """

    def __init__(self, gateway):
        self.gateway = gateway

    def routes(self):
        return [
            web.get('/api/gateway', self._summary),
            web.get('/api/gateway/form', self._form),
            web.get('/api/gateway/events', self._events),
            web.get('/api/gateway/settings', self._settings),
            web.post('/api/gateway/settings', self._change_settings),
            web.get('/api/gateway/orders', self._orders),
            web.get('/api/gateway/orders/{number}', self._order),
            web.post('/api/gateway/orders/{number}/act', self._act),
            web.get('/api/gateway/notifications', self._notifications),
            web.get('/api/gateway/log', self._log),
            web.post('/api/gateway/reset', self._reset),
            web.get('/api/phone/code', self._code),
            web.get('/api/phone/qr', self._qr),
        ]

    async def _summary(self, request):
        return web.json_response(self.gateway.summary())

    async def _form(self, request):
        form = self.gateway.settings.form()
        return web.json_response(
            form
            | {
                'scripts': {
                    name: {'en': script.en, 'zh': script.zh} for name, script in SCRIPTS.items()
                },
                'wallets': list(WALLETS),
                'decimals': DECIMALS,
            }
        )

    async def _events(self, request):
        return await stream(request, self.gateway.hub, self.gateway.picture)

    async def _settings(self, request):
        return web.json_response(self.gateway.settings.values())

    async def _change_settings(self, request):
        self.gateway.settings.update(await body_of(request))
        await self.gateway.apply()
        return web.json_response(self.gateway.settings.values())

    async def _orders(self, request):
        orders = last_of(request, self.gateway.merchant.book.orders)
        now = self.gateway.merchant.now()
        return web.json_response([order.view(now) for order in orders])

    async def _order(self, request):
        order = self._named(request)
        return web.json_response(order.view(self.gateway.merchant.now()))

    def _named(self, request):
        number = request.match_info['number']
        order = self.gateway.find(number)
        if order is None:
            raise web.HTTPNotFound(reason=f'there is no order {number}')
        return order

    async def _act(self, request):
        order = self._named(request)
        values = await body_of(request)
        action, code, amount = (values.get(name) for name in ('do', 'code', 'amount_minor'))
        if action not in ACTIONS:
            raise SettingRefused(f'do is one of: {", ".join(ACTIONS)}')
        if code is not None and not (isinstance(code, str) and len(code) == 4 and code.isdecimal()):
            raise SettingRefused('code has four digits')
        if code in ('0000', '1143', '1145'):
            raise SettingRefused('code is a code of a failure')
        if amount is not None and (type(amount) is not int or amount < 1):
            raise SettingRefused('amount_minor is a whole number above 0')
        await self.gateway.merchant.act(
            order, action, code, late=values.get('late') is True, amount=amount
        )
        # What follows by itself has happened when the caller looks.
        await asyncio.sleep(0)
        return web.json_response(order.view(self.gateway.merchant.now()))

    async def _notifications(self, request):
        return web.json_response(last_of(request, list(self.gateway.notices.sent)))

    async def _log(self, request):
        return web.json_response(last_of(request, list(self.gateway.door.log)))

    async def _reset(self, request):
        await self.gateway.reset()
        return web.json_response(self.gateway.summary())

    async def _code(self, request):
        wallet = request.query.get('wallet', 'alipay')
        script = request.query.get('script', 'ok')
        if wallet not in WALLETS:
            raise SettingRefused(f'wallet is one of: {", ".join(WALLETS)}')
        if script not in SCRIPTS:
            raise SettingRefused(f'script is one of: {", ".join(SCRIPTS)}')
        code = self.gateway.merchant.phone.new_code(wallet, script)
        return web.json_response({'code': code, 'wallet': wallet, 'script': script})

    async def _qr(self, request):
        """The dark and light fields of a QR code, row by row."""
        text = request.query.get('text', '')
        if not 0 < len(text) <= 512:
            raise SettingRefused('text has 1 to 512 characters')
        drawing = qrcode.QRCode(border=0)
        drawing.add_data(text)
        drawing.make()
        rows = [''.join('1' if dark else '0' for dark in line) for line in drawing.get_matrix()]
        return web.json_response({'rows': rows})
