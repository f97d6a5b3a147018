"""The cashier's doors. The POS names a payment line; all else the server knows itself."""

import re

from werkzeug.exceptions import BadRequest, Forbidden

from odoo.http import Controller, request, route

from ..models.qfpay_start import StartRefused

MOST_LINES = 100
_UUID = re.compile(r'[A-Za-z0-9_.-]{1,128}')


class CashierController(Controller):
    @route('/pos_payment_qfpay/start', type='jsonrpc', auth='user')
    def start(self, payment_uuid, auth_code=''):
        """Begin the payment or refund of a line whose order was synchronised just before.

        :param auth_code: the customer's code, for methods that scan one
        :return: {'payment': status}, or {'error': {'code', 'message'}} when nothing was started
        """
        ledger = self._ledger()
        try:
            return {'payment': ledger._start(_uuid(payment_uuid), str(auth_code or ''))}
        except StartRefused as refusal:
            return {'error': {'code': refusal.code, 'message': refusal.message}}

    @route('/pos_payment_qfpay/status', type='jsonrpc', auth='user')
    def status(self, payment_uuids, inquire=False):
        """How lines stand. Open ones that nobody carries are taken up again.

        :param inquire: ask QFPay now, do not wait for the next inquiry
        :return: {'payments': [status, ...]}, one for each of the first `MOST_LINES` lines
        """
        ledger = self._ledger()
        if not isinstance(payment_uuids, list):
            raise BadRequest('payment_uuids is a list')
        uuids = [_uuid(value) for value in payment_uuids[:MOST_LINES]]
        return {'payments': [ledger._look_up(uuid, bool(inquire)) for uuid in uuids]}

    @route('/pos_payment_qfpay/cancel', type='jsonrpc', auth='user')
    def cancel(self, payment_uuid):
        """Ask QFPay to call a payment off. The line's state tells later whether it was.

        :return: {'payment': status}
        """
        return {'payment': self._ledger()._call_off(_uuid(payment_uuid))}

    def _ledger(self):
        if not request.env.user.has_group('point_of_sale.group_pos_user'):
            raise Forbidden
        return request.env['qfpay.transaction']


def _uuid(value):
    """The uuid of a payment line as the browser sent it; '' for what names no line."""
    return value if isinstance(value, str) and _UUID.fullmatch(value) else ''
