"""The ledger's questions in a shop that has sold for years."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from tools import database, odoo_run, postgres

SCRIPT = Path(__file__).with_name('many_rows.py')


def measure() -> dict[str, tuple[float, float]]:
    """By question: milliseconds with few rows, and with many."""
    source = odoo_run.prepare()
    name = f'bench_ledger_{os.getpid()}'
    with postgres.server(), tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / 'answer.json'
        os.environ['QFPAY_BENCH_ANSWER'] = str(answer)
        database.create(source, name, database.ensure_addon_template(source))
        try:
            database.shell(source, 'Filling the ledger', name, SCRIPT)
        finally:
            database.drop(name)
        found: dict[str, tuple[float, float]] = json.loads(answer.read_text())
    return found
