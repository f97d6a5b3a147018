"""What the tests stand on: a really running Odoo, the simulator, tills in a real browser.

Run with ``make test`` (everything) or ``tools/e2e [pytest's arguments]`` (only these tests, for
instance ``tools/e2e -k reload -x``).

The fixtures in short::

    def test_sale(odoo_server, simulator, pos):
        till = pos('Till 1')                      # a browser window: cashier logged in, till open
        till.add('Porcelain Cup')                 # HKD 45.50
        till.pay('Visa/Mastercard')               # to the payment screen, tap the method
        simulator.wait_job()                      # terminal 0 (Till 1's) has woken up
        simulator.press('approve')
        till.wait_done()
        till.validate()
        rows = odoo_server.sql('SELECT state, syssn FROM qfpay_transaction')
        payment, = odoo_server.rpc('manager').find('pos.payment', fields=('transaction_id',))

One Odoo and one simulator serve the whole session; before each test the simulator's terminals are
reset. Tills keep their session and its orders between tests, so look for the rows of your own
order (``till.uuid()``), or take a database of your own with ``new_odoo``.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from clients import Rpc, Sql, wait_for

from tools import database, machine, odoo_run, postgres
from tools import server as servers
from tools.odoo_source import Source

PICTURES = machine.RUN / 'e2e'
# Two runs of one checkout may overlap: each has databases and logs of its own.
TAG = os.getpid()


class RunningOdoo(servers.Odoo):
    """An Odoo process on a furnished database with the addon.

    From :class:`tools.server.Odoo`: ``.url``, ``.port``, ``.pid``, ``.alive()``, ``.start()``,
    ``.stop()`` (polite), ``.kill()`` (SIGKILL, with all workers), ``.restart()``; ``.log`` is the
    log file's path. ``.database`` (also ``.db``) is the database's name.
    """

    def __init__(self, source: Source, database_name: str, **options: Any) -> None:
        super().__init__(source, database_name, **options)
        self.db = database_name
        self._sql: Sql | None = None

    def rpc(self, login: str = 'cashier', password: str | None = None) -> Rpc:
        """A new JSON-RPC session: cashier, manager or admin (the password is the login)."""
        return Rpc(self.url, self.db, login, login if password is None else password)

    def sql(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Run SQL beside Odoo (committed at once); answer the rows as dictionaries."""
        if self._sql is None:
            self._sql = Sql(self.db)
        return self._sql(query, *values)

    def till_id(self, name: str) -> int:
        """The id of a till (``pos.config``) by its name."""
        return int(self.sql('SELECT id FROM pos_config WHERE name = %s', name)[0]['id'])

    def log_text(self) -> str:
        """Everything that the server has logged in this run of the tests."""
        return self.log.read_text(errors='replace')

    def connect(self, simulator: servers.Simulator) -> None:
        """Point the shop's terminals (Till 1's, Till 2's) and account at the simulator's."""
        for index in range(len(simulator.terminals)):
            self.sql(
                "UPDATE qfpay_terminal SET host = '127.0.0.1', port = %s WHERE name = %s",
                simulator.port(index),
                f'Terminal {index + 1}',
            )
        self.sql('UPDATE qfpay_account SET custom_url = %s', simulator.gateway_url)

    def forget(self) -> None:
        """Close what is open on the database, so that it can be dropped."""
        if self._sql is not None:
            self._sql.close()
            self._sql = None


class RunningSimulator(servers.Simulator):
    """The simulator process; see :class:`tools.server.Simulator` for its controls.

    ``index`` is the terminal: 0 stands at Till 1, 1 at Till 2.
    """

    def wait_job(self, index: int = 0, seconds: float = 15) -> Any:
        """Wait until the terminal shows a job to the customer; answer the job."""
        return wait_for(
            lambda: self.terminal(index)['screen']['job'], seconds, f'terminal {index} has no job'
        )

    def wait_idle(self, index: int = 0, seconds: float = 15) -> None:
        """Wait until the terminal has no job."""
        wait_for(
            lambda: not self.terminal(index)['screen']['job'],
            seconds,
            f'terminal {index} is not idle',
        )


@pytest.fixture(scope='session')
def database_server() -> Iterator[None]:
    """The checkout's PostgreSQL, running."""
    with postgres.server():
        yield


@pytest.fixture(scope='session')
def source(database_server: None) -> Source:
    """Odoo's source, found and configured."""
    return odoo_run.prepare()


@pytest.fixture(scope='session')
def new_odoo(source: Source) -> Iterator[Callable[..., RunningOdoo]]:
    """Make more servers: ``new_odoo('name', workers=2, options=('--limit-…',))``, started.

    Each gets a furnished database of its own with the addon, a copy made in a second, or (with
    ``database='…'``) joins an existing one. They are stopped, and their databases dropped, at the
    end of the session.
    """
    template = database.ensure_addon_template(source)
    with contextlib.ExitStack() as stack:

        def make(name: str, *, database_name: str = '', **options: Any) -> RunningOdoo:
            target = database_name or f'qfpay_e2e_{name}_{TAG}'
            if not database_name:
                database.create(source, target, template)
                stack.callback(database.drop, target)
            odoo = RunningOdoo(source, target, name=f'e2e/{name}-{TAG}', **options)
            stack.callback(odoo.forget)
            stack.callback(odoo.stop)
            odoo.start()
            return odoo

        yield make


@pytest.fixture(scope='session')
def simulator_process() -> Iterator[RunningSimulator]:
    """The simulator for the whole session; tests take ``simulator``, which is reset."""
    process = RunningSimulator(name=f'e2e/simulator-{TAG}')
    with servers.running(process):
        yield process


@pytest.fixture
def simulator(simulator_process: RunningSimulator) -> RunningSimulator:
    """The running simulator: two terminals and a gateway, all as they left the factory."""
    for index in range(len(simulator_process.terminals)):
        simulator_process.reset(index)
    simulator_process.gateway_reset()
    return simulator_process


@pytest.fixture(scope='session')
def odoo_process(
    new_odoo: Callable[..., RunningOdoo], simulator_process: RunningSimulator
) -> RunningOdoo:
    """The session's Odoo (threaded, as ``odoo`` runs by default); tests take ``odoo_server``."""
    odoo = new_odoo('odoo')
    odoo.connect(simulator_process)
    return odoo


@pytest.fixture
def odoo_server(odoo_process: RunningOdoo) -> RunningOdoo:
    """The running Odoo with the furnished shop; started again if a test before killed it.

    What ended in a test before is not looked at again: a question about it, minutes later, would
    take the fault that this test has prepared for its own.
    """
    if not odoo_process.alive():
        odoo_process.start()
    odoo_process.sql(
        'UPDATE qfpay_transaction SET next_step = NULL, next_step_at = NULL'
        " WHERE state NOT IN ('draft', 'sent', 'pending', 'unknown')"
    )
    return odoo_process


@pytest.fixture(scope='session')
def browser() -> Iterator[Any]:
    """A headless Chromium (Playwright's Browser)."""
    from tools import till

    with till.chromium() as chromium:
        yield chromium


@pytest.fixture
def pos(
    browser: Any, odoo_server: RunningOdoo, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Any]]:
    """Open tills: ``pos('Till 1')`` answers a :class:`tools.till.Till`, logged in and open.

    ``pos('Till 2', login='manager', odoo=…)`` for others; several at a time are several windows.
    When the test fails, a picture of each window is in ``.run/e2e/``. All are closed afterwards.
    """
    from tools.till import Till

    tills: list[Till] = []

    def open_till(
        name: str = 'Till 1',
        *,
        login: str = 'cashier',
        odoo: RunningOdoo | None = None,
        **context: Any,
    ) -> Till:
        odoo = odoo or odoo_server
        till = Till(
            browser,
            odoo.url,
            odoo.till_id(name),
            session_id=odoo.rpc(login).session_id,
            **context,
        )
        tills.append(till)
        till.open()
        till.new_order()
        return till

    yield open_till
    report = getattr(request.node, 'report_call', None)
    for number, till in enumerate(tills):
        if report is None or report.failed:
            name = re.sub(r'[^A-Za-z0-9]+', '-', request.node.name)
            with contextlib.suppress(Exception):
                till.screenshot(PICTURES / f'{name}-{number}.png')
        with contextlib.suppress(Exception):
            till.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Any:
    """Keep the outcome of a test's body where its fixtures can see it."""
    report = yield
    if report.when == 'call':
        item.report_call = report  # type: ignore[attr-defined]
    return report
