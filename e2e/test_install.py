"""The addon comes, is upgraded, and goes, without a warning, alone and beside its neighbours."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from clients import Sql
from conftest import TAG, RunningOdoo, RunningSimulator
from orders import Counter

from tools import database, machine, odoo_run
from tools.odoo_source import Source

LEVEL = re.compile(r'^\d{4}-\d\d-\d\d \S+ \d+ (WARNING|ERROR|CRITICAL) ')


class Shelf:
    """A database on which modules are put and taken off by Odoo processes that end."""

    def __init__(self, source: Source, name: str) -> None:
        self.source = source
        self.name = name

    def odoo(self, *words: str) -> None:
        """Run Odoo; it must end well and have nothing to complain about."""
        done = subprocess.run(
            odoo_run.command(words),
            env=odoo_run.environ(self.source),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        log = done.stdout + done.stderr
        path = machine.LOGS / 'e2e' / f'{self.name}-{"-".join(words[:1])}.log'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(log)
        complaints = [line for line in log.splitlines() if LEVEL.match(line)]
        assert not complaints, '\n'.join(complaints)
        assert done.returncode == 0, log[-3000:]

    def server(self, *words: str) -> None:
        """Load the database's modules once, with ``-i``, ``-u``."""
        self.odoo('server', '-d', self.name, '--no-http', '--stop-after-init', *words)

    def uninstall(self) -> None:
        """Take the addon off."""
        self.odoo('module', 'uninstall', '-d', self.name, machine.ADDON)

    def sql(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query."""
        connection = Sql(self.name)
        try:
            return connection(query)
        finally:
            connection.close()

    def assert_nothing_left(self) -> None:
        """No table, no column, no record and no selection value of the addon is there."""
        tables = "SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'qfpay_%'"
        assert self.sql(tables) == []
        columns = (
            'SELECT table_name, column_name FROM information_schema.columns'
            " WHERE table_schema = 'public' AND column_name IN"
            " ('qfpay_ecr_channel', 'qfpay_terminal_id', 'qfpay_confirmation')"
        )
        assert self.sql(columns) == []
        data = f"SELECT name FROM ir_model_data WHERE module = '{machine.ADDON}'"
        assert self.sql(data) == []
        methods = "SELECT name FROM pos_payment_method WHERE use_payment_terminal LIKE 'qfpay\\_%'"
        assert self.sql(methods) == []


@pytest.fixture
def shelf(source: Source) -> Iterator[Callable[[str, str], Shelf]]:
    """``shelf('name', template)``: a database of its own, dropped afterwards."""
    made = []

    def make(name: str, template: str) -> Shelf:
        target = f'qfpay_e2e_install_{name}_{TAG}'
        made.append(target)
        database.create(source, target, template)
        return Shelf(source, target)

    yield make
    for target in made:
        database.drop(target)


def test_beside_its_neighbours_with_a_paid_sale(
    source: Source,
    shelf: Callable[[str, str], Shelf],
    new_odoo: Callable[..., RunningOdoo],
    simulator: RunningSimulator,
) -> None:
    shop = shelf('shop', database.ensure_template(source))
    shop.server('-i', machine.ADDON)
    shop.server('-u', machine.ADDON)
    database.shell(source, 'Setting up terminals', shop.name, database.QFPAY_SCRIPT)
    odoo = new_odoo('install', database_name=shop.name)
    odoo.connect(simulator)
    simulator.settings(mode='approve')
    counter = Counter(odoo.rpc('cashier'))
    paid = counter.pay(12.5)
    assert counter.wait_state(paid)['state'] == 'done'
    (session,) = odoo.sql('SELECT id FROM pos_session')
    odoo.stop()
    shop.server('-u', machine.ADDON)
    shop.uninstall()
    shop.assert_nothing_left()
    payment = f"SELECT amount, payment_status FROM pos_payment WHERE uuid = '{paid}'"
    (kept,) = shop.sql(payment)
    assert (float(kept['amount']), kept['payment_status']) == (12.5, 'done')
    odoo.start()
    loaded = odoo.rpc('cashier').call('pos.session', 'load_data', [session['id']], [])
    names = {method['name'] for method in loaded['pos.payment.method']}
    assert 'Visa/Mastercard' in names, 'the till still opens, with its methods'
    odoo.stop()
    shop.server('-i', machine.ADDON)


@pytest.mark.slow
def test_alone(source: Source, shelf: Callable[[str, str], Shelf]) -> None:
    bare = shelf('alone', database.ensure_base(source))
    bare.server('-i', 'point_of_sale')
    bare.server('-i', machine.ADDON)
    neighbours = (
        "SELECT name FROM ir_module_module WHERE state = 'installed'"
        " AND name IN ('pos_qfpay', 'pos_self_order')"
    )
    assert bare.sql(neighbours) == []
    bare.server('-u', machine.ADDON)
    bare.uninstall()
    bare.assert_nothing_left()


def test_everything_that_the_manifest_names_is_there() -> None:
    manifest = eval((machine.ROOT / '__manifest__.py').read_text())  # noqa: S307 (our own file)
    for path in manifest['data']:
        assert (machine.ROOT / path).is_file(), path
    for patterns in manifest['assets'].values():
        for pattern in patterns:
            inside = Path(pattern).relative_to(machine.ADDON)
            assert any(machine.ROOT.glob(str(inside))), pattern
