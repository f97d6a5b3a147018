"""What is known about the money when something goes wrong.

There are few ways to get no answer, and only one question that matters: may the same payment be
tried again? So the errors are sorted by that question and by nothing else.

`InvalidRequest`  our own request makes no sense. It was never sent. Trying again is safe, and
                  useless until somebody corrects the request or the settings.
`NotSent`         nobody could be reached: not one byte of the request left this machine. The money
                  did not move. Trying again is safe.
`RateLimited`     QFPay turned the request away unread, because there were too many (HTTP 429). The
                  money did not move. The same request, with the same number, is safe after a pause.
`AnswerLost`      at least one byte left, and no answer came that can be read. The terminal may
                  have charged the customer. Only an inquiry can tell. Trying again is not safe.

`NotificationRefused` is about something that came in, not about something asked: it is not QFPay's
word, and nothing is known from it.

An answer that can be read is never an error, also when it says *no*: it is an `Outcome`.
"""

from typing import Literal

LossReason = Literal['timeout', 'connection', 'unreadable', 'too_large']
UnreachedReason = Literal['network', 'tls', 'stale']
_HEARD_LENGTH = 1000
RefusalReason = Literal['signature', 'unreadable', 'too_large']


class QFPayError(Exception):
    """Base of the errors. `message` is plain English for logs, without any secret."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequest(QFPayError, ValueError):
    """Our own request is wrong. Nothing left this machine.

    `field` names what is wrong, for a caller who explains it in other words: 'amount', 'channel',
    'reference', 'syssn', 'timeout', 'camera_id', 'scan_type', 'host', 'port', 'pos_key', and for
    the OpenAPI 'pay_type', 'currency', 'auth_code', 'expiry', 'time', 'notify_url', 'base_url',
    'app_code', 'client_key', 'merchant_id', 'sign_type'; '' when it is no single field.
    """

    def __init__(self, message: str, field: str = '') -> None:
        super().__init__(message)
        self.field = field


class NotSent(QFPayError):
    """No connection: not one byte of the request left. The money did not move.

    `reason`: nobody answered there (`network`); somebody did whose certificate cannot be trusted
    (`tls`), which a wrong date on this machine causes too; or whoever was to send it had waited
    for too long, and let it be (`stale`).
    """

    def __init__(self, message: str, reason: UnreachedReason = 'network') -> None:
        super().__init__(message)
        self.reason: UnreachedReason = reason


class RateLimited(QFPayError):
    """Too many requests: QFPay did not look at this one. The money did not move.

    `retry_after`: seconds that QFPay asks to wait, None when it does not say.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class AnswerLost(QFPayError):
    """The request left, its answer did not arrive or cannot be read. The money: unknown.

    `reason` tells what happened to the answer: it did not come in time (`timeout`), the connection
    broke (`connection`), it is no answer of the protocol (`unreadable`), or it is bigger than any
    answer of the protocol could be (`too_large`). `heard`: its beginning, where there was any.
    """

    def __init__(self, message: str, reason: LossReason = 'unreadable', heard: bytes = b'') -> None:
        super().__init__(message)
        self.reason: LossReason = reason
        self.heard = heard[:_HEARD_LENGTH].decode('utf-8', errors='replace')


class NoSuchCall(AnswerLost):
    """The server there has no such call (HTTP 404 or 405): nothing was done."""


class NotificationRefused(QFPayError):
    """What came in is no notification of QFPay's, or none that can be read. Nothing is known.

    `reason`: the signature is missing or wrong (`signature`), it is signed and still no
    notification (`unreadable`), or bigger than any notification (`too_large`).
    """

    def __init__(self, message: str, reason: RefusalReason) -> None:
        super().__init__(message)
        self.reason: RefusalReason = reason
