"""Notifications: QFPay reports a payment or a refund by itself (the protocol, B10, A13).

The signature is checked on the bytes that came in, before anything in them is looked at. What
passes is QFPay's word, and still not necessarily about money of ours: its reader holds reference,
amount, currency and merchant against the ledger, and `trade_type` against the row's kind, since a
refund's notification must never make a payment done.

QFPay reports only successes, so the usual verdict is DONE. Refunds were called `cancel` until 2026.
A `close`, a `reversal` or a kind that nobody knows says that something happened and not what: its
verdict is UNKNOWN, and an inquiry about its number tells the rest.
"""

from dataclasses import dataclass, replace

from ..errors import NotificationRefused
from ..outcome import Outcome, TradeType, Verdict
from .answer import doubted, read_object, read_state
from .catalogue import SUCCESS
from .signature import ClientKey

SIZE_LIMIT = 1 << 16
#: which kind of trade a kind of notification is about
NOTIFY_TYPES: dict[str, TradeType] = {
    'payment': 'payment',
    'refund': 'refund',
    'cancel': 'refund',
}
_HAPPENED = '1'


@dataclass(frozen=True, slots=True)
class Notification:
    """What QFPay reports. `notify_type`: QFPay's own word in lower case, '' when there is none.

    `orig_reference`: of a refund, our number of the payment.
    """

    notify_type: str
    outcome: Outcome
    orig_reference: str | None = None


def read_notification(raw: bytes, signature: str | None, key: ClientKey) -> Notification:
    """Verify and read a notification.

    :param raw: the request's body, byte for byte
    :param signature: the request's header SIGNATURE_HEADER
    :param key: the account's client key
    :return: what QFPay says
    :raise NotificationRefused: it is not QFPay's, or cannot be read; nothing else is ever raised
    """
    if len(raw) > SIZE_LIMIT:
        raise NotificationRefused(f'A notification has at most {SIZE_LIMIT} bytes.', 'too_large')
    if not signature or not key.verifies_notification(raw, signature):
        raise NotificationRefused('The signature is missing or wrong.', 'signature')
    fields = read_object(raw)
    if fields is None:
        raise NotificationRefused('A notification is a JSON object.', 'unreadable')
    if not fields.text('out_trade_no') and not fields.text('syssn'):
        raise NotificationRefused('A notification names a transaction.', 'unreadable')
    kind = fields.text('notify_type').lower()
    outcome = read_state(fields, NOTIFY_TYPES.get(kind, 'payment'), True)
    if kind not in NOTIFY_TYPES:
        outcome = replace(doubted(outcome), trade_type=None)
    elif fields.text('status') not in ('', _HAPPENED) and outcome.verdict is Verdict.DONE:
        outcome = doubted(outcome)
    outcome = replace(outcome, code=SUCCESS, inner_code=outcome.code)
    return Notification(kind, outcome, fields.text('orig_out_trade_no') or None)
