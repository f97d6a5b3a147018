"""What is known about the money when something goes wrong.

There are three ways to get no answer, and only one question that matters: may the same payment be
tried again? So the errors are sorted by that question and by nothing else.

`InvalidRequest`  our own request makes no sense. It was never sent. Trying again is safe, and
                  useless until somebody corrects the request or the settings.
`NotSent`         nobody could be reached: not one byte of the request left this machine. The money
                  did not move. Trying again is safe.
`AnswerLost`      at least one byte left, and no answer came that can be read. The terminal may
                  have charged the customer. Only an enquiry can tell. Trying again is not safe.

An answer that can be read is never an error, also when it says *no*: it is an `Outcome`.
"""

from typing import Literal

LossReason = Literal['timeout', 'connection', 'unreadable', 'too_large']


class QFPayError(Exception):
    """Base of the three errors. `message` is plain English for logs, without any secret."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequest(QFPayError, ValueError):
    """Our own request is wrong. Nothing left this machine.

    `field` names what is wrong, for a caller who explains it in other words: 'amount', 'channel',
    'reference', 'syssn', 'timeout', 'camera_id', 'scan_type', 'host', 'port', 'pos_key'; '' when
    it is no single field.
    """

    def __init__(self, message: str, field: str = '') -> None:
        super().__init__(message)
        self.field = field


class NotSent(QFPayError):
    """No connection: not one byte of the request left. The money did not move."""


class AnswerLost(QFPayError):
    """The request left, its answer did not arrive or cannot be read. The money: unknown.

    `reason` tells what happened to the answer: it did not come in time (`timeout`), the connection
    broke (`connection`), it is no answer of the protocol (`unreadable`), or it is bigger than any
    answer of the protocol could be (`too_large`).
    """

    def __init__(self, message: str, reason: LossReason = 'unreadable') -> None:
        super().__init__(message)
        self.reason: LossReason = reason
