"""QFPay's door: it reports payments and refunds by itself (the protocol, B10)."""

import logging

from odoo.http import Controller, Response, request, route

from ..qfpay.errors import NotificationRefused
from ..qfpay.openapi.notification import SIZE_LIMIT
from ..qfpay.openapi.signature import SIGNATURE_HEADER

_logger = logging.getLogger(__name__)

# What QFPay wants to read, or it comes again for a day.
TAKEN = 'SUCCESS'


class NotificationController(Controller):
    @route(
        '/pos_payment_qfpay/notify/<string:token>',
        type='http',
        auth='public',
        methods=['POST'],
        csrf=False,
        save_session=False,
    )
    def notify(self, token):
        """Take in a notification for the account whose address this is.

        :return: 200 SUCCESS for whatever QFPay signed, repeats and strangers' payments included;
            404 for an address that is nobody's, 413 and 400 for what QFPay did not send
        """
        account = (
            request.env['qfpay.account']
            .sudo()
            .with_context(active_test=False)
            .search([('notify_token', '=', token)])
        )
        if not account:
            return Response('unknown address', status=404)
        if (request.httprequest.content_length or 0) > SIZE_LIMIT:
            return Response('too large', status=413)
        signature = request.httprequest.headers.get(SIGNATURE_HEADER)
        try:
            account._take_notification(request.httprequest.get_data(), signature)
        except NotificationRefused as refusal:
            # Whoever can reach the server can knock here: no more than a line, nothing of theirs.
            _logger.info('QFPay: a notification was refused: %s', refusal.reason)
            return Response('refused', status=400)
        return Response(TAKEN, status=200)
