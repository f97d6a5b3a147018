"""How a payment line stands, for the till."""

from datetime import timedelta

from ..ledger.states import CANCELLED, DONE, FAILED, OPEN, PENDING
from ..ledger.testimony import Witness
from ..qfpay.openapi.catalogue import PAY_TYPES, Mode
from .messages import explain
from .refunds import is_given_back, is_too_late

EXPIRED = '1181'
# All that a status is made of, in one question: tills ask it every second.
_READ = (
    'account_id',
    'amount',
    'asked',
    'cancel_refused',
    'cancel_requested_at',
    'card_last4',
    'card_scheme',
    'card_type',
    'channel',
    'chnlsn',
    'deadline',
    'decided_at',
    'expires_at',
    'kind',
    'message',
    'needs_attention',
    'original_id',
    'pay_type',
    'payment_uuid',
    'qrcode',
    'reason',
    'reference',
    'respcd',
    'state',
    'syssn',
    'terminal_id',
    'wallet',
)
# The customer's code was wrong, used or too old: another one may do.
CODES_TO_RESCAN = ('1202', '1212', '1144', '2005', '2006')


def look_up(env, payment_uuid, inquire=False, refundable=False):
    """How the line of that uuid stands, for the till; 'none' without any attempt.

    :param env: the cashier's
    :param bool inquire: have QFPay asked now
    :param bool refundable: tell what may be given back, too, see `left_to_refund`
    """
    attempts = env['qfpay.transaction'].search_fetch([('payment_uuid', '=', payment_uuid)], _READ)
    row = attempts._deciding()
    if not row:
        return {'payment_uuid': payment_uuid, 'state': 'none'}
    if inquire:
        row.sudo()._ask_now()
    told = status(row)
    return dict(told, refundable=left_to_refund(row)) if refundable else told


def cancel(env, payment_uuid):
    """Have QFPay told to cancel the payment of a line. Its state tells later what came of it.

    :param env: the cashier's
    :return: the status of the line, see `status`
    """
    row = env['qfpay.transaction']._attempts(payment_uuid)._deciding()
    if row.state in OPEN and not row._is_cancelling():
        row.sudo()._want_cancelled(Witness.CASHIER, env.uid)
    return look_up(env, payment_uuid)


def status(row):
    """How a payment line stands, for the till.

    :param row: the `qfpay.transaction` that decides it
    :return: dict for the browser. `amount` is in currency units with the line's sign; `message` is
        a sentence for the cashier, empty when all is well; `asked` counts how often QFPay was asked
    """
    row.ensure_one()
    return {
        'payment_uuid': row.payment_uuid,
        'reference': row.reference,
        'kind': row.kind,
        'state': row.state,
        'cancelling': row._is_cancelling(),
        'message': explain(row),
        'amount': row.amount,
        'transaction_id': row.syssn or '',
        'payment_ref_no': row.chnlsn or '',
        'card_brand': row.card_scheme or '',
        'card_no': row.card_last4 or '',
        'card_type': row.card_type or row.wallet or '',
        'terminal': row.sudo().terminal_id.name or '' if row.state in OPEN else '',
        'attention': row.needs_attention,
        'asked': row.asked,
        **_code_status(row),
    }


def left_to_refund(row):
    """What QFPay may still give back of a payment, or of the payment of a refund.

    :param row: its `qfpay.transaction`
    :return: in currency units; None for what was not paid
    """
    paid = (row.original_id or row).sudo()
    if paid.state != DONE:
        return None
    # Without QFPay's number, as a manager may have left it, nothing can be given back.
    if not paid.syssn or not is_given_back(paid) or is_too_late(paid):
        return 0
    return paid._in_major(paid._refundable_minor()) if paid.refund_ids else paid.amount


def _code_status(row):
    """What the till needs to know where codes are shown or scanned."""
    if not row.account_id:
        return {'mode': 'terminal'}
    asked = PAY_TYPES[row.channel]
    mode = 'scan' if asked.mode is Mode.CPM else 'show'
    is_open = row.state in OPEN
    enters_password = mode == 'scan' and row.state == PENDING and row.kind == 'payment'
    ran_out = row.state in (FAILED, CANCELLED) and (_is_over(row) or row.respcd == EXPIRED)
    return {
        'mode': mode,
        'qrcode': row.qrcode or '' if is_open else '',
        'expires_at': f'{row.expires_at.isoformat()}Z' if row.expires_at and row.qrcode else '',
        'expires_in': _seconds_left(row),
        'pay_type': row.pay_type or row.channel,
        'wallet': row.wallet or asked.wallet,
        'step': 'password' if enters_password else '',
        'can_retry_code': row.state == FAILED and row.respcd in CODES_TO_RESCAN,
        'can_renew': mode == 'show' and ran_out and not row.cancel_requested_at,
    }


def _is_over(row):
    """Whether the row had run out when it ended."""
    return bool(row.deadline and row.decided_at and row.decided_at >= row.deadline)


def _seconds_left(row):
    """How long the code is shown yet. Not a time of day: a till's clock may be wrong."""
    if not row.expires_at or not row.qrcode:
        return 0
    left = row.expires_at - row.env.cr.now()
    return max(left, timedelta()).total_seconds()
