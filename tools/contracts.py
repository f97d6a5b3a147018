"""Which part of the addon may import which, read off the sources; nothing is imported for it.

A contract says what a part may import of the addon besides itself. What it does not name is
forbidden, so a new module is out of reach until somebody allows it here. Odoo imports the addon as
``odoo.addons.pos_payment_qfpay``: by that name, by the addon's own, by a relative one or from the
repository's root, a module is the same module.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from .machine import ADDON, ROOT

#: a part (a folder, or a module at the root) and what it may import: a module with all that is in
#: it, or one name of a module
CONTRACTS: Mapping[str, tuple[str, ...]] = {
    'qfpay': (),
    'ledger': (
        'qfpay.errors',
        'qfpay.money',
        'qfpay.outcome',
        'qfpay.times',
        # the tables
        'qfpay.ecr.codes',
        'qfpay.ecr.message.CHANNELS',
        'qfpay.openapi.catalogue',
    ),
    'courier': ('ledger', 'qfpay'),
    'cashier': ('ledger', 'qfpay'),
    'models': ('cashier', 'courier', 'ledger', 'qfpay'),
    'controllers': ('cashier', 'models', 'qfpay'),
    'simulator': (),
}
WITHOUT_ODOO = ('qfpay', 'ledger', 'simulator')
_NAMES = (f'odoo.addons.{ADDON}.', f'{ADDON}.')


def problems(root: Path = ROOT) -> list[str]:
    """Each import that a contract forbids, one sentence each."""
    return [sentence for part in CONTRACTS for sentence in _broken(root, part)]


def _broken(root: Path, part: str) -> Iterator[str]:
    for path in [root / f'{part}.py', *sorted((root / part).rglob('*.py'))]:
        if not path.exists():
            continue
        place = path.relative_to(root)
        for line, name in _imports(path, place):
            own = _own_name(name, root)
            if own is None:
                if part in WITHOUT_ODOO and _within(name, ('odoo',)):
                    yield f'{place}:{line}: {part} does without Odoo, and imports {name}'
            elif not _within(own, (part, *CONTRACTS[part])):
                yield f'{place}:{line}: {part} may not import {own}'


def _imports(path: Path, place: Path) -> Iterator[tuple[int, str]]:
    """Every name that a module imports, anywhere in it, in full, with its line."""
    package = ('odoo', 'addons', ADDON, *place.parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package[: max(len(package) - node.level + 1, 0)] if node.level else ()
            base = (*above, node.module) if node.module else above
            for alias in node.names:
                yield node.lineno, '.'.join((*base, alias.name))


def _own_name(name: str, root: Path) -> str | None:
    """The name as it is called inside the addon; None for what is no part of it."""
    for prefix in _NAMES:
        if f'{name}.'.startswith(prefix):
            return name[len(prefix) :] or ADDON
    first = name.partition('.')[0]
    is_here = (root / first / '__init__.py').exists() or (root / f'{first}.py').exists()
    return name if is_here else None


def _within(name: str, allowed: tuple[str, ...]) -> bool:
    return any(f'{name}.'.startswith(f'{entry}.') for entry in allowed)
