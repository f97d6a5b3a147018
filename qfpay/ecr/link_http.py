"""A link to a terminal that is HTTP.

A terminal is a small web server on the shop's network. Asking it for a payment is one POST whose
answer comes when the customer is finished, minutes later perhaps (the protocol, A9). The link
carries bytes there and back and knows nothing about them, except that an answer is JSON or Base64
and never big. How a conversation ends that goes wrong is settled in `qfpay.http`.
"""

import json
from collections.abc import Callable
from http import HTTPStatus

from ..errors import AnswerLost
from ..http import ANSWER_LIMIT, CONNECT_TIMEOUT, Wire
from .address import checked_host, checked_port

_HEADERS = {'Content-Type': 'application/json'}


class HttpLink:
    """A terminal's HTTP server.

    `host`: IP address or name, `port`: 1 to 65535, `connect_timeout`: seconds. A host that is no
    host or a port that is no port raises InvalidRequest. Holds no connection; may be used by
    several threads at once, as cancelling a running payment has to.
    """

    def __init__(self, host: str, port: int, connect_timeout: float = CONNECT_TIMEOUT) -> None:
        base = f'http://{checked_host(host)}:{checked_port(port)}'
        self._wire = Wire(base, 'terminal', connect_timeout)

    def __repr__(self) -> str:
        return f'HttpLink({self._wire.base})'

    def exchange(
        self,
        path: str,
        body: bytes,
        read_timeout: float,
        deadline: float,
        limit: int = ANSWER_LIMIT,
        before_first_byte: Callable[[], None] = lambda: None,
    ) -> bytes:
        """POST `body` to `path` and return the body of the answer.

        `read_timeout`: seconds of silence after which an answer is given up. `deadline`: seconds
        for everything together. `limit`: bytes that an answer may have. `before_first_byte`: called
        when the connection stands; may raise NotSent, and then nothing leaves. An answer with
        another status than 200 is returned when it is JSON, since the terminal's reason may be in
        it. Raises NotSent or AnswerLost, and nothing else.
        """
        reply = self._wire.exchange(
            'POST', path, body, _HEADERS, read_timeout, deadline, limit, before_first_byte
        )
        if reply.status != HTTPStatus.OK and not _is_json(reply.body):
            raise AnswerLost(
                f'The terminal answered with HTTP status {reply.status}.', 'unreadable', reply.body
            )
        return reply.body


def _is_json(answer: bytes) -> bool:
    try:
        return isinstance(json.loads(answer), (dict, str))
    except (ValueError, RecursionError):
        return False
