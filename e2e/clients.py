"""Ways into a running Odoo from outside: its JSON-RPC doors and its database; and waiting."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg2
import psycopg2.extras
import requests

from tools import postgres


class Refused(Exception):
    """Odoo answered a call with an error.

    ``kind`` is the exception's full name on the server (``odoo.exceptions.AccessError``),
    ``message`` its text.
    """

    def __init__(self, error: dict[str, Any]) -> None:
        data = error.get('data') or {}
        self.kind = str(data.get('name') or error.get('code'))
        self.message = str(data.get('message') or error.get('message'))
        super().__init__(f'{self.kind}: {self.message}')


class Rpc:
    """A logged-in user's JSON-RPC client, like that user's browser: one session, one cookie."""

    def __init__(self, url: str, database: str, login: str, password: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False
        self.user = self.post(
            '/web/session/authenticate', db=database, login=login, password=password
        )
        self.uid = self.user['uid']

    @property
    def session_id(self) -> str:
        """The session's cookie, to open a browser as this user."""
        return str(self.http.cookies['session_id'])

    def post(self, path: str, *, timeout: float = 60, **params: Any) -> Any:
        """Call a JSON-RPC route with ``params``; answer its result, or raise :class:`Refused`."""
        body = {'jsonrpc': '2.0', 'method': 'call', 'params': params}
        answer = self.http.post(f'{self.url}{path}', json=body, timeout=timeout)
        answer.raise_for_status()
        found = answer.json()
        if 'error' in found:
            raise Refused(found['error'])
        return found.get('result')

    def call(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a model's method: ``call('pos.order', 'read', [1], ['name'])``."""
        params = {'model': model, 'method': method, 'args': list(args), 'kwargs': kwargs}
        return self.post(f'/web/dataset/call_kw/{model}/{method}', **params)

    def find(self, model: str, *domain: Any, fields: tuple[str, ...] = (), **options: Any) -> Any:
        """``search_read``: the records that match the domain's terms, as dictionaries."""
        return self.call(model, 'search_read', domain=list(domain), fields=list(fields), **options)


class Sql:
    """One connection to the database, each query in a transaction of its own.

    ``place``: libpq's variables of another server than the checkout's.
    """

    def __init__(self, database: str, place: dict[str, str] | None = None) -> None:
        place = place or postgres.connection()
        names = {'PGHOST': 'host', 'PGPORT': 'port', 'PGUSER': 'user', 'PGPASSWORD': 'password'}
        known = {names[name]: value for name, value in place.items() if name in names}
        self._connection = psycopg2.connect(dbname=database, **known)
        self._connection.autocommit = True

    def __call__(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """The rows of a query (``%s`` for values) as dictionaries; ``[]`` for a command."""
        with self._connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
            cursor.execute(query, values or None)
            return [dict(row) for row in cursor.fetchall()] if cursor.description else []

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def wait_for(question: Callable[[], Any], seconds: float = 15, complaint: str = '') -> Any:
    """Ask until the answer is true; answer it. Fails with ``complaint`` after ``seconds``."""
    end = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() > end:
            raise AssertionError(complaint or f'still not so after {seconds:g} s')
        time.sleep(0.05)
    return answer
