"""Rows of results: as a table for a reader, as JSON for machines."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One result. ``limit`` is the greatest ``value`` that is good enough; None: there is none."""

    name: str
    value: float
    unit: str
    official: float | None = None
    limit: float | None = None

    @property
    def ratio(self) -> float | None:
        """Ours divided by the official module's."""
        return self.value / self.official if self.official else None

    @property
    def holds(self) -> bool | None:
        """Whether the value is within its limit; None without a limit."""
        return None if self.limit is None else self.value <= self.limit

    def as_json(self) -> dict[str, object]:
        """The row with everything in it, rounded to what was measured."""
        values = asdict(self) | {'ratio': self.ratio, 'holds': self.holds}
        return {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in values.items()
        }


def write(rows: list[Row], path: Path) -> None:
    """Write the rows as a JSON list."""
    path.write_text(json.dumps([row.as_json() for row in rows], indent=2) + '\n')


def table(rows: list[Row]) -> str:
    """The rows as text, in columns."""
    head = ('', 'ours', 'pos_qfpay', 'ratio', 'limit', '')
    lines = [head, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    return '\n'.join(
        '  '.join(
            cell.rjust(width) if 0 < column < len(head) - 1 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )


def _cells(row: Row) -> tuple[str, ...]:
    holds = {None: '', True: 'holds', False: 'DOES NOT HOLD'}[row.holds]
    return (
        row.name,
        _number(row.value, row.unit),
        _number(row.official, row.unit),
        '' if row.ratio is None else f'{row.ratio:.2f}',
        '' if row.limit is None else f'≤ {_number(row.limit, row.unit)}',
        holds,
    )


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return '–'
    return f'{value:.1f} {unit}' if unit == 'ms' else f'{value:g}'
