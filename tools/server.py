"""Servers that really run: Odoo in processes of its own, and the simulator of the terminals.

Each listens on a loopback port, writes its output to a file in ``.run/logs``, ends with the process
that started it, and is stopped by the process id that it was given.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from . import environment, machine, odoo_run
from .machine import LOGS, ROOT, Problem
from .odoo_source import Source

# The key that QFPay's documentation prints as the terminal's default; the simulator's too.
POS_KEY = 'f46b1f08bec1f39104792cc79ec9aacd'
# The account that the simulator's gateway knows.
APP_CODE = 'ABCDEF0123456789ABCDEF0123456789'
CLIENT_KEY = '0123456789ABCDEF0123456789ABCDEF'
_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """Ask the kernel to end this process when the one that started it is gone."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Process:
    """A server process: started, watched until it is ready, stopped by its id."""

    def __init__(self, name: str, command: list[str], env: Mapping[str, str], cwd: Path) -> None:
        self.name = name
        self.log = LOGS / f'{name}.log'
        self._command = command
        self._env = dict(env)
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the server (of the parent process, with Odoo's workers)."""
        assert self._process is not None, f'{self.name} was not started'
        return self._process.pid

    def alive(self) -> bool:
        """Whether the process is running."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process; its output is added to the log."""
        assert not self.alive(), f'{self.name} runs already'
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open('ab') as output:
            self._process = subprocess.Popen(
                self._command,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env=self._env,
                cwd=self._cwd,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 (no threads are started before)
            )

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until ``ready()``; a server that dies or takes longer raises :class:`Problem`."""
        end = time.monotonic() + seconds
        while not ready():
            if not self.alive():
                raise Problem(
                    f'{self.name} ended at its start: {machine.last_line(self.log)}'
                    f' (log: {self.log})'
                )
            if time.monotonic() > end:
                raise Problem(f'{self.name} was not ready after {seconds:g} s (log: {self.log})')
            time.sleep(0.1)

    def kill(self) -> None:
        """End the process and its children at once, as a power cut would (SIGKILL)."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def stop(self, seconds: float = 20) -> None:
        """Ask the process to end (SIGTERM); kill it when it has not after ``seconds``."""
        if self._process is None:
            return
        if self.alive():
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
        self.kill()


class Odoo(Process):
    """A running Odoo on one database, threaded or (``workers`` > 0) with processes."""

    def __init__(
        self,
        source: Source,
        database: str,
        *,
        name: str = 'odoo',
        workers: int = 0,
        port: int = 0,
        options: tuple[str, ...] = (),
    ) -> None:
        self.database = database
        self.port = port or machine.free_port()
        self.gevent_port = machine.free_port()
        self.url = f'http://127.0.0.1:{self.port}'
        words = ['-d', database, f'--workers={workers}', f'--http-port={self.port}']
        words += [f'--gevent-port={self.gevent_port}', f'--db-filter=^{database}$', *options]
        super().__init__(name, odoo_run.command(words), odoo_run.environ(source), ROOT)

    def start(self, seconds: float = 120) -> None:
        """Start Odoo and wait until its log-in page answers."""
        super().start()
        self.wait_until(self.answers, seconds)

    def answers(self) -> bool:
        """Whether the log-in page can be had right now."""
        try:
            with urllib.request.urlopen(f'{self.url}/web/login', timeout=60) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def restart(self) -> None:
        """Stop Odoo politely and start it again on the same ports and database."""
        self.stop()
        self.start()


class Simulator(Process):
    """The simulated terminals and gateway, with a client of their control API.

    Terminals are counted from 0: ``terminals[0]`` is the address of the first till's terminal.
    ``gateway_url`` is the OpenAPI's address, for ``app_code`` and ``client_key``.
    """

    def __init__(
        self,
        *,
        name: str = 'simulator',
        terminals: int = 2,
        web_port: int = 0,
        terminal_port: int = 0,
        gateway_port: int = 0,
        options: tuple[str, ...] = (),
    ) -> None:
        self._ready = LOGS / f'{name}.json'
        self.pos_key = POS_KEY
        self.terminals: list[str] = []
        self.web = ''
        self.gateway_url = ''
        self.app_code = APP_CODE
        self.client_key = CLIENT_KEY
        self.addresses: dict[str, Any] = {}
        words = ['-m', 'simulator', '--host=127.0.0.1', f'--terminals={terminals}']
        words += [f'--terminal-port={terminal_port}', f'--web-port={web_port}']
        words += [f'--gateway-port={gateway_port}', f'--pos-key={POS_KEY}']
        words += [f'--app-code={APP_CODE}', f'--client-key={CLIENT_KEY}']
        words += [f'--ready-file={self._ready}', *options]
        env = {**os.environ, 'PYTHONDONTWRITEBYTECODE': '1', 'PYTHONUNBUFFERED': '1'}
        env.pop('PYTHONPATH', None)
        super().__init__(name, [str(environment.PYTHON), *words], env, ROOT)

    def start(self, seconds: float = 30) -> None:
        """Start the simulator and wait until it has told its addresses."""
        self._ready.parent.mkdir(parents=True, exist_ok=True)
        self._ready.unlink(missing_ok=True)
        super().start()
        self.wait_until(self._told, seconds)
        self.terminals = [str(address) for address in self.addresses['terminals']]
        self.web = str(self.addresses['web'])
        self.gateway_url = str(self.addresses['gateway'])

    def _told(self) -> bool:
        try:
            self.addresses = json.loads(self._ready.read_text())
        except (OSError, ValueError):
            return False
        return True

    def port(self, index: int) -> int:
        """The TCP port of a terminal."""
        return int(self.terminals[index].rsplit(':', 1)[1])

    def call(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """GET a path of the control API, or POST ``body`` to it; answer the JSON."""
        request = urllib.request.Request(
            f'{self.web}/api/{path}',
            data=None if body is None else json.dumps(body).encode(),
            headers={'Content-Type': 'application/json'},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            words = error.read().decode('utf-8', 'replace')[:300]
            raise AssertionError(f'the simulator refused {path}: {error.code} {words}') from error

    def terminal(self, index: int = 0) -> Any:
        """The state of a terminal: its screen, its current job, its settings."""
        return self.call(f'terminals/{index}')

    def press(self, button: str, index: int = 0) -> Any:
        """Press approve, decline, cancel or timeout on a terminal's current job."""
        return self.call(f'terminals/{index}/press', {'button': button})

    def settings(self, index: int = 0, **settings: Any) -> Any:
        """Change how a terminal behaves (mode, delay, fault, reachable, card …)."""
        return self.call(f'terminals/{index}/settings', settings)

    def trades(self, index: int = 0) -> Any:
        """The terminal's own book: what it charged and gave back."""
        return self.call(f'terminals/{index}/trades')

    def requests(self, index: int = 0) -> Any:
        """Every request that the terminal received, decrypted, oldest first."""
        return self.call(f'terminals/{index}/log')

    def reset(self, index: int = 0) -> Any:
        """A terminal as it left the factory: no trades, no job, default settings."""
        return self.call(f'terminals/{index}/reset', {})

    def gateway(self) -> Any:
        """The gateway: its settings, and how many requests it had, by call and in all."""
        return self.call('gateway')

    def gateway_settings(self, **settings: Any) -> Any:
        """Change how the gateway behaves (auto, notify_url, notify_mode, fault, mchid …)."""
        return self.call('gateway/settings', settings)

    def gateway_orders(self) -> Any:
        """QFPay's book: every payment and refund, oldest first."""
        return self.call('gateway/orders')

    def gateway_order(self, number: str = 'last') -> Any:
        """One order by our number or QFPay's; ``last`` is the newest payment."""
        return self.call(f'gateway/orders/{number}')

    def gateway_act(self, do: str, number: str = 'last', **values: Any) -> Any:
        """The customer (or QFPay's portal) does something with an order.

        scan, pay (``late=True`` after its end), refuse and fail (``code='1201'``), expire, close,
        refund (``amount_minor``), notify, forge. Answers the order.
        """
        return self.call(f'gateway/orders/{number}/act', {'do': do, **values})

    def gateway_notifications(self) -> Any:
        """Every attempt to notify: of what, in which mode, and what the receiver answered."""
        return self.call('gateway/notifications')

    def gateway_requests(self) -> Any:
        """Every request that the gateway received, with its fields and its answer's code."""
        return self.call('gateway/log')

    def gateway_reset(self) -> Any:
        """A gateway like new: no orders, no log, default settings (no address to notify)."""
        return self.call('gateway/reset', {})

    def phone_code(self, wallet: str = 'alipay', script: str = 'ok') -> str:
        """A customer's code to scan; the script says what will happen to it.

        ok, password, processing, wait, refuse, expired, used, lost, error.
        """
        return str(self.call(f'phone/code?wallet={wallet}&script={script}')['code'])


@contextlib.contextmanager
def running(*servers: Process) -> Iterator[None]:
    """Start the servers in order, and stop them all (last first) when the block ends."""
    with contextlib.ExitStack() as stack:
        for server in servers:
            stack.callback(server.stop)
            server.start()
        yield
