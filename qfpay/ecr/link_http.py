"""A link to a terminal that is HTTP.

A terminal is a small web server on the shop's network. Asking it for a payment is one POST whose
answer comes when the customer is finished, minutes later perhaps (the protocol, A9). The link
carries bytes there and back and knows nothing about them, except that an answer is JSON or Base64
and never big.

What it must get right is the end of a conversation that goes wrong, because that decides whether
somebody may charge again:

* An error before the first byte of the request left is `NotSent`. An error at any later point,
  whatever it is, is `AnswerLost`. The border is not guessed from the kind of error: the
  connection notes the moment when it hands the first byte to the socket.
* No wait outlives the deadline. A socket's own time-out begins anew with every byte, so a server
  that drips one byte of a header every few seconds would hold a caller for ever. Here every single
  read gets only what is left of the whole.
* Nothing is sent twice: no retries, no redirects, no connection kept for a second use.
* No more than `limit` bytes are read.

`requests` does the talking. It is given a connection of our own making, below; proxies, cookies
and credentials from the environment are kept out.
"""

import io
import json
import socket
import time
from dataclasses import dataclass
from functools import partial
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from ..errors import AnswerLost, NotSent, QFPayError
from .address import checked_host, checked_port

CONNECT_TIMEOUT = 5.0
ANSWER_LIMIT = 1 << 20
_CHUNK = 1 << 16
_HEADERS = {
    'Accept': 'application/json',
    # a compressed answer could unfold to any size
    'Accept-Encoding': 'identity',
    'Connection': 'close',
    'Content-Type': 'application/json',
    'User-Agent': 'pos_payment_qfpay',
}


@dataclass(slots=True)
class _Passage:
    """One request on its way: how long it may take, and how far it came. Times in seconds."""

    ends_at: float
    connect_timeout: float
    read_timeout: float
    left: bool = False
    late: bool = False

    def remaining(self, at_most: float) -> float:
        """How long the next step may take. Raises TimeoutError when the time is over."""
        rest = self.ends_at - time.monotonic()
        if rest <= 0:
            self.late = True
            raise TimeoutError('the deadline is over')
        return min(rest, at_most)


class _Reader(io.RawIOBase):
    """What comes out of a socket, each read bounded by what is left of the passage."""

    def __init__(self, sock: socket.socket, passage: _Passage) -> None:
        super().__init__()
        self._socket = sock
        # keeps the socket open for the body after the connection let go of it
        self._raw = sock.makefile('rb', buffering=0)
        self._passage = passage

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        self._socket.settimeout(self._passage.remaining(self._passage.read_timeout))
        try:
            return self._raw.readinto(buffer)
        except TimeoutError:
            self._passage.late = True
            raise

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedSocket:
    """The one thing of a socket that an HTTP response asks for: a file to read from."""

    def __init__(self, sock: socket.socket, passage: _Passage) -> None:
        self._socket = sock
        self._passage = passage

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._socket, self._passage))


class _Connection(HTTPConnection):
    """A connection that keeps to its passage and notes when the first byte leaves."""

    def __init__(self, *args: Any, passage: _Passage, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._passage = passage
        made: Any = self._response
        self.response_class = made

    def _response(self, sock: socket.socket, *args: Any, **kwargs: Any) -> HTTPResponse:
        bounded: Any = _BoundedSocket(sock, self._passage)
        return HTTPResponse(bounded, *args, **kwargs)

    def connect(self) -> None:
        self.timeout = self._passage.remaining(self._passage.connect_timeout)
        super().connect()

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self.sock.settimeout(self._passage.remaining(self._passage.read_timeout))
        self._passage.left = True
        super().send(data)


class _Pools(PoolManager):
    """Hands out connections of the kind above."""

    def __init__(self, passage: _Passage) -> None:
        super().__init__()
        self._passage = passage

    def _new_pool(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = super()._new_pool(*args, **kwargs)
        made: Any = partial(_Connection, passage=self._passage)
        pool.ConnectionCls = made
        return pool


class _Adapter(HTTPAdapter):
    def __init__(self, passage: _Passage) -> None:
        self._passage = passage
        super().__init__(max_retries=0)

    def init_poolmanager(self, *_args: Any, **_kwargs: Any) -> None:
        self.poolmanager = _Pools(self._passage)


class _Session(requests.Session):
    """A session for one request, deaf to proxies, cookies and redirects."""

    def __init__(self, passage: _Passage) -> None:
        super().__init__()
        self.trust_env = False
        self.adapters.clear()
        self.mount('http://', _Adapter(passage))

    def get_redirect_target(self, resp: requests.Response) -> None:
        # even when told not to follow, requests would read such an answer to its end, however long
        return None


class HttpLink:
    """A terminal's HTTP server.

    `host`: IP address or name, `port`: 1 to 65535, `connect_timeout`: seconds. A host that is no
    host or a port that is no port raises InvalidRequest. Holds no connection; may be used by
    several threads at once, as calling off a running payment has to.
    """

    def __init__(self, host: str, port: int, connect_timeout: float = CONNECT_TIMEOUT) -> None:
        self._base = f'http://{checked_host(host)}:{checked_port(port)}'
        self._connect_timeout = connect_timeout

    def __repr__(self) -> str:
        return f'HttpLink({self._base})'

    def exchange(
        self,
        path: str,
        body: bytes,
        read_timeout: float,
        deadline: float,
        limit: int = ANSWER_LIMIT,
    ) -> bytes:
        """POST `body` to `path` and return the body of the answer.

        `read_timeout`: seconds of silence after which an answer is given up. `deadline`: seconds
        for everything together. `limit`: bytes that an answer may have. An answer with another
        status than 200 is returned when it is JSON, since the terminal's reason may be in it.
        Raises NotSent or AnswerLost, and nothing else.
        """
        passage = _Passage(time.monotonic() + deadline, self._connect_timeout, read_timeout)
        try:
            return self._exchange(path, body, limit, passage)
        except QFPayError:
            raise
        except Exception as error:  # pylint: disable=broad-except
            # whatever it was: what is known about the money depends on one thing only
            raise _lost(error, passage) from error

    def _exchange(self, path: str, body: bytes, limit: int, passage: _Passage) -> bytes:
        with (
            _Session(passage) as session,
            session.post(
                self._base + path,
                data=body,
                headers=_HEADERS,
                timeout=self._connect_timeout,
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            answer = bytearray()
            while chunk := response.raw.read(_CHUNK, decode_content=False):
                answer += chunk
                if len(answer) > limit:
                    raise AnswerLost(f'The answer is longer than {limit} bytes.', 'too_large')
            status = response.status_code
        if status != requests.codes.ok and not _is_json(answer):
            raise AnswerLost(f'The terminal answered with HTTP status {status}.', 'unreadable')
        return bytes(answer)


def _is_json(answer: bytearray) -> bool:
    try:
        return isinstance(json.loads(answer), (dict, str))
    except (ValueError, RecursionError):
        return False


def _lost(error: Exception, passage: _Passage) -> QFPayError:
    """The error that tells what is known about the money."""
    name = type(error).__name__
    if not passage.left:
        return NotSent(f'The terminal cannot be reached ({name}).')
    if passage.late:
        return AnswerLost('The terminal did not answer in time.', 'timeout')
    return AnswerLost(f'The connection broke before the answer was there ({name}).', 'connection')
