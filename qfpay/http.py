"""One HTTP request that keeps to its limits: bytes there, bytes back.

Both of QFPay's languages travel over HTTP, to a small server in the shop or to QFPay's own. What
must be right is the same for both: the end of a conversation that goes wrong, because that decides
whether somebody may charge again.

* An error before the first byte of the request left is `NotSent`. An error at any later point,
  whatever it is, is `AnswerLost`. The border is not guessed from the kind of error: the
  connection notes the moment when it hands the first byte to the socket. A TLS handshake is
  before that moment.
* No wait outlives the deadline. A socket's own time-out begins anew with every byte, so a server
  that drips one byte of a header every few seconds would hold a caller for ever. Here every single
  step gets only what is left of the whole, each of a host's several addresses too. (One step
  cannot be bounded from here: the system's own look-up of a name.)
* Nothing is sent twice: no retries, no redirects, no connection kept for a second use.
* No more than `limit` bytes are read.

`requests` does the talking. It is given connections of our own making, below; proxies, cookies
and credentials from the environment are kept out.
"""

import io
import ipaddress
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http.client import HTTPResponse
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool

from .errors import AnswerLost, NotSent, QFPayError

CONNECT_TIMEOUT = 5.0
ANSWER_LIMIT = 1 << 20
_CHUNK = 1 << 16
_HEADERS = {
    'Accept': 'application/json',
    # a compressed answer could unfold to any size
    'Accept-Encoding': 'identity',
    'Connection': 'close',
    'User-Agent': 'pos_payment_qfpay',
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, whatever the status. `headers`: names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True)
class _Passage:
    """One request on its way: how long it may take, and how far it came. Times in seconds."""

    ends_at: float
    connect_timeout: float
    read_timeout: float
    before_first_byte: Callable[[], None]
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
        return super().close()


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

    def _new_conn(self) -> socket.socket:
        failure = OSError('the host has no address')
        for family, kind, protocol, _name, address in socket.getaddrinfo(
            self._dns_host, self.port, type=socket.SOCK_STREAM
        ):
            # whatever a name leads to: nobody's terminal, and no gateway, is there
            if ipaddress.ip_address(str(address[0]).partition('%')[0]).is_link_local:
                continue
            sock = socket.socket(family, kind, protocol)
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.settimeout(self._passage.remaining(self._passage.connect_timeout))
                sock.connect(address)
                # a TLS handshake may follow
                sock.settimeout(self._passage.remaining(self._passage.connect_timeout))
            except OSError as error:
                sock.close()
                failure = error
            else:
                return sock
        raise failure

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if not self._passage.left:
            self._passage.before_first_byte()
        # after the look: it may have taken what was left of the time
        self.sock.settimeout(self._passage.remaining(self._passage.read_timeout))
        self._passage.left = True
        return super().send(data)


class _TlsConnection(_Connection, HTTPSConnection):
    """The same with TLS in between; the server's certificate is always checked."""


class _Pools(PoolManager):
    """Hands out connections of the kinds above."""

    def __init__(self, passage: _Passage) -> None:
        super().__init__()
        self._passage = passage

    def _new_pool(self, scheme: str, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = super()._new_pool(scheme, *args, **kwargs)
        kind = _TlsConnection if scheme == 'https' else _Connection
        made: Any = partial(kind, passage=self._passage)
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
        self.mount('https://', _Adapter(passage))

    def get_redirect_target(self, resp: requests.Response) -> None:
        # even when told not to follow, requests would read such an answer to its end, however long
        return None


class Wire:
    """The way to one HTTP server.

    `base`: scheme, host and port, without a slash at the end, checked by the caller. `who`: the
    server's name in messages. `connect_timeout`: seconds. `ca_file`: path of the certificates to
    trust instead of the public ones. Holds no connection; may be used by several threads at once.
    """

    def __init__(
        self,
        base: str,
        who: str,
        connect_timeout: float = CONNECT_TIMEOUT,
        ca_file: str | None = None,
    ) -> None:
        self.base = base
        self._who = who
        self._connect_timeout = connect_timeout
        self._verify: bool | str = ca_file or True

    def exchange(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        read_timeout: float,
        deadline: float,
        limit: int = ANSWER_LIMIT,
        before_first_byte: Callable[[], None] = lambda: None,
    ) -> Reply:
        """Send one request and return what comes back, whatever its status.

        `read_timeout`: seconds of silence after which an answer is given up. `deadline`: seconds
        for everything together. `limit`: bytes that an answer may have. `before_first_byte` is
        called when the connection stands; it may raise NotSent, and then nothing leaves. Raises
        NotSent or AnswerLost, and nothing else.
        """
        passage = _Passage(
            time.monotonic() + deadline, self._connect_timeout, read_timeout, before_first_byte
        )
        try:
            return self._exchange(passage, method, path, body, headers, limit)
        except QFPayError:
            raise
        except Exception as error:  # pylint: disable=broad-except
            # whatever it was: what is known about the money depends on one thing only
            raise self._lost(error, passage) from error

    def _exchange(
        self,
        passage: _Passage,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        limit: int,
    ) -> Reply:
        with (
            _Session(passage) as session,
            session.request(
                method,
                self.base + path,
                data=body,
                headers={**_HEADERS, **headers},
                timeout=self._connect_timeout,
                allow_redirects=False,
                stream=True,
                verify=self._verify,
            ) as response,
        ):
            answer = bytearray()
            while chunk := response.raw.read(_CHUNK, decode_content=False):
                answer += chunk
                if len(answer) > limit:
                    raise AnswerLost(
                        f'The answer is longer than {limit} bytes.', 'too_large', bytes(answer)
                    )
            received = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status_code, received, bytes(answer))

    def _lost(self, error: Exception, passage: _Passage) -> QFPayError:
        """The error that tells what is known about the money."""
        name = type(error).__name__
        if not passage.left:
            is_tls = isinstance(error, requests.exceptions.SSLError)
            return NotSent(
                f'The {self._who} cannot be reached ({name}).', 'tls' if is_tls else 'network'
            )
        if passage.late:
            return AnswerLost(f'The {self._who} did not answer in time.', 'timeout')
        return AnswerLost(
            f'The connection broke before the answer was there ({name}).', 'connection'
        )
