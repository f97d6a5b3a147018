"""A shop upgrades in the middle of the day: what was under way is known afterwards, too."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clients import wait_for
from conftest import TAG, RunningOdoo, RunningSimulator
from orders import Counter
from test_install import Shelf

from tools import database, machine, odoo_run
from tools.odoo_source import Source

# The addon as it was released before, without what only browsers and tests need.
BEFORE = Path(__file__).with_name('upgrade') / '19.0.1.0.0.zip'
NAME = f'qfpay_e2e_upgrade_{TAG}'


class Shop:
    """One database, served by the release before, and then by this one."""

    def __init__(self, source: Source, simulator: RunningSimulator) -> None:
        folder = machine.RUN / 'upgrade' / BEFORE.stem
        with zipfile.ZipFile(BEFORE) as release:
            release.extractall(folder)
        addons = ','.join(str(path) for path in (*source.addons, folder))
        self.source = source
        self.simulator = simulator
        self.before = f'--addons-path={addons}'
        database.create(source, NAME)
        done = subprocess.run(
            odoo_run.command(
                ['-d', NAME, '--no-http', '--stop-after-init', self.before, '-i', machine.ADDON]
            ),
            env=odoo_run.environ(source),
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        database.shell(
            source, 'Furnishing a shop as before', NAME, database.QFPAY_SCRIPT, self.before
        )
        self.odoo = self._serve('before', self.before)
        self.odoo.connect(simulator)

    def _serve(self, name: str, *options: str) -> RunningOdoo:
        odoo = RunningOdoo(self.source, NAME, name=f'e2e/upgrade-{name}-{TAG}', options=options)
        odoo.start()
        return odoo

    def upgrade(self) -> None:
        """Stop without a word, as for any update, and come back with this release."""
        self.odoo.kill()
        self.odoo.forget()
        Shelf(self.source, NAME).server('-u', machine.ADDON)
        self.odoo = self._serve('after')

    def rows(self, *uuids: str) -> list[dict[str, Any]]:
        """The ledger's rows of these lines, in this order."""
        found = self.odoo.sql('SELECT * FROM qfpay_transaction')
        by_uuid = {row['payment_uuid']: row for row in found}
        return [by_uuid[uuid] for uuid in uuids]

    def close(self) -> None:
        self.odoo.stop()
        self.odoo.forget()
        database.drop(NAME)


@pytest.fixture
def shop(source: Source, simulator: RunningSimulator) -> Iterator[Shop]:
    shop = Shop(source, simulator)
    yield shop
    shop.close()


def test_what_was_under_way_is_known_after_an_upgrade(
    shop: Shop, simulator: RunningSimulator
) -> None:
    """Paid, refused, given up by a manager, and one whose answer was lost: all stay what they were,
    and the last one is found paid. Nobody is charged again."""
    counter = Counter(shop.odoo.rpc('cashier'))
    simulator.settings(mode='approve', delay=0)
    paid = counter.pay(10.1)
    assert counter.wait_state(paid)['state'] == 'done'
    simulator.settings(mode='decline', delay=0)
    refused = counter.pay(20)
    assert counter.wait_state(refused)['state'] == 'failed'
    simulator.settings(mode='manual', fault='silent_before_charge', fault_count=1)
    lost = counter.pay(30)
    assert counter.wait_state(lost, 'unknown')['state'] == 'unknown'
    before = {row['payment_uuid']: row for row in shop.rows(paid, refused, lost)}

    shop.upgrade()

    after = shop.rows(paid, refused, lost)
    assert [row['state'] for row in after] == ['done', 'failed', 'unknown']
    assert [float(row['amount']) for row in after] == [10.1, 20, 30]
    for row in after:
        was = before[row['payment_uuid']]
        for name in ('reference', 'syssn', 'amount_minor', 'respcd', 'decided_at', 'card_last4'):
            assert row[name] == was[name], name
        assert row['link_id']
    counter = Counter(shop.odoo.rpc('cashier'))
    assert counter.status(paid)['state'] == 'done'
    again = counter.start(lost)['payment']
    assert (again['state'], again['reference']) == ('unknown', f'{lost}-1')
    simulator.press('approve')
    assert counter.wait_state(lost)['state'] == 'done'
    charges = [trade for trade in simulator.trades() if trade['charged_minor']]
    assert [trade['charged_minor'] for trade in charges] == [1010, 3000]
    words = shop.odoo.sql(
        'SELECT word.witness, word.fact, word.reason FROM qfpay_testimony word'
        ' JOIN qfpay_transaction row ON row.id = word.transaction_id'
        ' WHERE row.payment_uuid = %s ORDER BY word.id',
        lost,
    )
    assert (words[0]['fact'], words[0]['reason']) == ('upgraded', 'unknown')
    assert words[-1]['witness'] == 'inquiry'
    # what is paid from now on is kept in the new way, beside the old rows
    simulator.settings(mode='approve', delay=0)
    line = counter.pay(40)
    assert counter.wait_state(line)['state'] == 'done'
    refund, _order = counter.order(-10.1, refunded_line=_order_line(shop, paid))
    assert 'payment' in counter.start(refund)
    assert counter.wait_state(refund)['state'] == 'done'
    wait_for(
        lambda: not shop.odoo.sql('SELECT id FROM qfpay_transaction WHERE tell_at IS NOT NULL')
    )


def _order_line(shop: Shop, payment_uuid: str) -> int:
    """The order of a paid line is closed, so that it can be refunded; answer its first line."""
    (order,) = shop.odoo.sql(
        'SELECT pos_order_id AS id FROM pos_payment WHERE uuid = %s', payment_uuid
    )
    shop.odoo.rpc('manager').call('pos.order', 'action_pos_order_paid', [order['id']])
    (line,) = shop.odoo.sql('SELECT id FROM pos_order_line WHERE order_id = %s', order['id'])
    return int(line['id'])
