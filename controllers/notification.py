"""QFPay's door: it reports payments and refunds by itself (the protocol, B10)."""

import logging
import re
import threading
from inspect import signature

from werkzeug.wsgi import get_input_stream

from odoo.http import Controller, Response, request, route

from ..qfpay.errors import NotificationRefused
from ..qfpay.openapi.notification import SIZE_LIMIT
from ..qfpay.openapi.signature import SIGNATURE_HEADER

_logger = logging.getLogger(__name__)

# What QFPay wants to read, or it comes again for a day.
TAKEN = 'SUCCESS'
_TOKEN = re.compile(r'[A-Za-z0-9_-]{1,64}')
# Notifications at once in one process, and how long the next one waits for its turn, in seconds: a
# flood of them must leave workers and connections to the cashiers.
AT_ONCE = 8
PATIENCE = 10
_turns = threading.BoundedSemaphore(AT_ONCE)


# Of a body that comes in pieces, without saying how long it is, an older werkzeug reads all.
_COUNTS_PIECES = 'max_content_length' in signature(get_input_stream).parameters


def _body(httprequest):
    """The body, or as much of it as shows that it is too large."""
    length = httprequest.content_length
    if length is None:
        # what is beyond the limit of the route is not read
        return httprequest.get_data() if _COUNTS_PIECES else b''
    return httprequest.get_data() if length <= SIZE_LIMIT else bytes(SIZE_LIMIT + 1)


class NotificationController(Controller):
    @route(
        '/pos_payment_qfpay/notify/<string:token>',
        type='http',
        auth='public',
        methods=['POST'],
        csrf=False,
        save_session=False,
        max_content_length=SIZE_LIMIT,
    )
    def notify(self, token):
        """Take in a notification for the account whose address this is.

        :return: 200 SUCCESS for whatever QFPay signed, repeats and strangers' payments included;
            404 for an address that is nobody's, 413 and 400 for what QFPay did not send, 503 when
            there are too many at once: QFPay comes again, and is asked meanwhile
        """
        if not _turns.acquire(timeout=PATIENCE):
            return Response('too many', status=503)
        try:
            return self._notify(token)
        finally:
            _turns.release()

    def _notify(self, token):
        account = request.env['qfpay.account'].sudo().with_context(active_test=False)
        if _TOKEN.fullmatch(token):
            account = account.search([('notify_token', '=', token)])
        if not account:
            return Response('unknown address', status=404)
        body = _body(request.httprequest)
        if len(body) > SIZE_LIMIT:
            return Response('too large', status=413)
        try:
            account._take_notification(body, request.httprequest.headers.get(SIGNATURE_HEADER))
        except NotificationRefused as refusal:
            # Whoever can reach the server can knock here: no more than a line, nothing of theirs.
            _logger.info('QFPay: a notification was refused: %s', refusal.reason)
            return Response('refused', status=400)
        return Response(TAKEN, status=200)
