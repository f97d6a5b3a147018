"""The shop where everything is measured: one database, one Odoo, the terminals, the cashier."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from tools import database, machine, odoo_run, postgres
from tools.machine import Problem
from tools.odoo_source import Source
from tools.server import Odoo, Simulator, running

from .constants import CUSTOMERS, NOTIFICATION_KEY, OFFICIAL_PORT

FURNISH = Path(__file__).with_name('furnish.py')
PROBE = Path(__file__).with_name('probe')


class Client:
    """A cashier's JSON-RPC client, as fast as Python has one: a kept session, no proxies."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False
        self.call('/web/session/authenticate', db=name, login='cashier', password='cashier')

    @property
    def session_id(self) -> str:
        """The session's cookie, to open a browser as this cashier."""
        return str(self.http.cookies['session_id'])

    def call(self, path: str, **params: Any) -> Any:
        """Call a JSON-RPC route and answer its result; an error is the end of the bench."""
        body = {'jsonrpc': '2.0', 'method': 'call', 'params': params}
        answer = self.http.post(f'{self.url}{path}', json=body, timeout=60).json()
        if 'error' in answer:
            raise Problem(f'{path} failed: {answer["error"]["data"]["message"]}')
        return answer['result']


class Probe:
    """What the measured Odoo's process has used, see ``probe/``."""

    def __init__(self, port: int, name: str) -> None:
        self._name = name.encode()
        self._file = socket.create_connection(('127.0.0.1', port)).makefile('rwb')

    def read(self) -> dict[str, Any]:
        """`queries`, `cpu` (seconds), `workers` and `connections`, as they are now."""
        self._file.write(self._name + b'\n')
        self._file.flush()
        return dict(json.loads(self._file.readline()))


@dataclass
class Shop:
    """What the measurements need."""

    database: str
    odoo: Odoo
    terminal: Simulator  # Till 1's: HTTP for this addon, HTTPS for pos_qfpay
    street: Simulator  # the terminals of the customers who think
    probe: Probe

    def client(self) -> Client:
        """A new session of the cashier."""
        return Client(self.odoo.url, self.database)

    def ids(self, query: str) -> list[Any]:
        """The first column of a query."""
        return [row[0] for row in postgres.sql(query, self.database)]

    def notify_official(self, wanted: bool) -> None:
        """Have the terminal's host post its notification to pos_qfpay after each payment."""
        url = f'{self.odoo.url}/qfpay/notify' if wanted else None
        self.terminal.call('terminals/0/webhook', {'url': url, 'key': NOTIFICATION_KEY})


@contextlib.contextmanager
def furnished() -> Iterator[Shop]:
    """The shop, open; all of it is gone afterwards."""
    address = _official_address()
    source = odoo_run.prepare()
    name = f'bench_{os.getpid()}'
    with postgres.server(), contextlib.ExitStack() as stack:
        database.create(source, name, database.ensure_addon_template(source))
        stack.callback(database.drop, name)
        database.shell(source, 'Furnishing the bench', name, FURNISH)
        options = (f'--host={address}', f'--https-port={OFFICIAL_PORT}')
        terminal = Simulator(name='bench/terminal', terminals=1, options=options)
        street = Simulator(name='bench/street', terminals=CUSTOMERS)
        stack.enter_context(running(terminal, street))
        _connect(name, address, terminal, street)
        probe_port = machine.free_port()
        odoo = _odoo(source, name, probe_port)
        stack.enter_context(running(odoo))
        yield Shop(name, odoo, terminal, street, Probe(probe_port, name))


def _official_address() -> str:
    """A loopback address where pos_qfpay's only port is free: a demo may have it on the first."""
    for number in range(1, 10):
        address = f'127.0.0.{number}'
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, OFFICIAL_PORT))
            return address
    raise Problem(
        f"Port {OFFICIAL_PORT} cannot be used on any loopback address, and pos_qfpay's code speaks "
        'to no other: stop what listens there, then try again.'
    )


def _connect(name: str, address: str, terminal: Simulator, street: Simulator) -> None:
    """Tell the shop where its terminals listen; the first one is Till 1's."""
    first = f"host = '{address}', port = {terminal.port(0)}"
    postgres.sql(f"UPDATE qfpay_terminal SET {first} WHERE name = 'Terminal 1'", name)
    postgres.sql(
        f"UPDATE pos_payment_method SET qfpay_terminal_ip_address = '{address}'"
        " WHERE use_payment_terminal = 'qfpay'",
        name,
    )
    ports = {f'Street {number}': street.port(number) for number in range(CUSTOMERS)}
    values = ', '.join(f"('{label}', {port})" for label, port in ports.items())
    postgres.sql(
        'UPDATE qfpay_terminal SET port = place.port '
        f'FROM (VALUES {values}) AS place (name, port) WHERE qfpay_terminal.name = place.name',
        name,
    )


def _odoo(source: Source, name: str, probe_port: int) -> Odoo:
    """Odoo with threads and websocket in one process, as by default; the probe, and no cron."""
    folders = (*source.addons, odoo_run.ADDONS, PROBE)
    os.environ['QFPAY_BENCH_PROBE_PORT'] = str(probe_port)
    options = (
        f'--addons-path={",".join(str(folder) for folder in folders)}',
        '--load=base,rpc,web,qfpay_bench_probe',
        '--max-cron-threads=0',
    )
    return Odoo(source, name, name='bench/odoo', options=options)
