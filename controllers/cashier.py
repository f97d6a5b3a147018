"""The cashier's doors. The POS names a payment line; all else the server knows itself."""

from werkzeug.exceptions import Forbidden

from odoo.http import Controller, request, route

from ..models.qfpay_transaction import StartRefused


class CashierController(Controller):
    @route('/pos_payment_qfpay/start', type='jsonrpc', auth='user')
    def start(self, payment_uuid, auth_code=''):
        """Begin the payment or refund of a line whose order was synchronised just before.

        :param auth_code: the customer's code, for methods that scan one
        :return: {'payment': status}, or {'error': {'code', 'message'}} when nothing was started
        """
        ledger = self._ledger()
        try:
            return {'payment': ledger._start(str(payment_uuid), str(auth_code or ''))}
        except StartRefused as refusal:
            return {'error': {'code': refusal.code, 'message': refusal.message}}

    @route('/pos_payment_qfpay/status', type='jsonrpc', auth='user')
    def status(self, payment_uuids, enquire=False):
        """How lines stand. Open ones that nobody carries are taken up again.

        :param enquire: ask QFPay now, do not wait for the next enquiry
        :return: {'payments': [status, ...]}, one for each line that was asked about
        """
        ledger = self._ledger()
        return {
            'payments': [ledger._look_up(str(uuid), enquire) for uuid in payment_uuids[:100]]
        }

    @route('/pos_payment_qfpay/cancel', type='jsonrpc', auth='user')
    def cancel(self, payment_uuid):
        """Ask QFPay to call a payment off. The line's state tells later whether it was.

        :return: {'payment': status}
        """
        return {'payment': self._ledger()._call_off(str(payment_uuid))}

    def _ledger(self):
        if not request.env.user.has_group('point_of_sale.group_pos_user'):
            raise Forbidden
        return request.env['qfpay.transaction']
