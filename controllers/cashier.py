"""The cashier's doors. The POS names a payment line; all else the server knows itself."""

import re
from datetime import timezone

from werkzeug.exceptions import BadRequest, Forbidden

from odoo.http import Controller, content_disposition, request, route

from ..cashier.start import StartRefused, give_up, start
from ..cashier.status import cancel, look_up

MOST_LINES = 100
_UUID = re.compile(r'[A-Za-z0-9_.-]{1,128}')


class CashierController(Controller):
    @route('/pos_payment_qfpay/start', type='jsonrpc', auth='user')
    def start(self, payment_uuid, auth_code='', tap='', asked_at=None):
        """Begin the payment or refund of a line whose order was synchronised just before.

        :param auth_code: the customer's code, for methods that scan one
        :param tap: names the cashier's tap: asked again under the same name, nothing new begins
        :param asked_at: when that was, by the clock that the doors tell
        :return: {'payment': status}, or {'error': {'code', 'message'}} when nothing was started
        """
        env = self._env()
        try:
            status = start(env, _uuid(payment_uuid), _text(auth_code), _text(tap), asked_at)
        except StartRefused as refusal:
            return _told(error={'code': refusal.code, 'message': refusal.message})
        return _told(payment=status)

    @route('/pos_payment_qfpay/status', type='jsonrpc', auth='user')
    def status(self, payment_uuids, inquire=False, clock=False, refundable=False):
        """How lines stand.

        :param inquire: have QFPay asked now; that it was shows in `asked`
        :param clock: tell the time, too
        :param refundable: tell what may still be given back, too
        :return: {'payments': [status, ...]}, one for each of the first `MOST_LINES` lines
        """
        env = self._env()
        if not isinstance(payment_uuids, list):
            raise BadRequest('payment_uuids is a list')
        uuids = [_uuid(value) for value in payment_uuids[:MOST_LINES]]
        # this process takes part in looking what is due
        env['qfpay.transaction']._take_part()
        options = {'inquire': bool(inquire), 'refundable': bool(refundable)}
        found = {'payments': [look_up(env, uuid, **options) for uuid in uuids]}
        return _told(**found) if clock else found

    @route('/pos_payment_qfpay/cancel', type='jsonrpc', auth='user')
    def cancel(self, payment_uuid, tap=''):
        """Have a payment cancelled. The line's state tells later what came of it.

        :param tap: of a start that the till has heard nothing of: it shall begin nothing any more
        :return: {'payment': status}
        """
        env, uuid = self._env(), _uuid(payment_uuid)
        if tap:
            give_up(env, uuid, _text(tap))
        return _told(payment=cancel(env, uuid))

    @route('/pos_payment_qfpay/conversation/<int:transaction_id>', type='http', auth='user')
    def conversation(self, transaction_id):
        """Everything that was said about a transaction, for support; for managers only."""
        row = self._env()['qfpay.transaction'].browse(transaction_id).exists()
        if not row:
            raise BadRequest('no such transaction')
        name = f'qfpay-{row.reference}.json'
        return request.make_response(
            row._conversation(),
            headers=[
                ('Content-Type', 'application/json'),
                ('Content-Disposition', content_disposition(name)),
            ],
        )

    def _env(self):
        if not request.env.user.has_group('point_of_sale.group_pos_user'):
            raise Forbidden
        return request.env


def _told(**answer):
    """An answer, and the time: a till that asks for money says when its cashier tapped."""
    return {**answer, 'now': request.env.cr.now().replace(tzinfo=timezone.utc).timestamp()}


def _uuid(value):
    """The uuid of a payment line as the browser sent it; '' for what names no line."""
    return value if isinstance(value, str) and _UUID.fullmatch(value) else ''


def _text(value):
    """A text as the browser sent it; '' for what is none, or holds what no text may."""
    return value if isinstance(value, str) and value.isprintable() else ''
