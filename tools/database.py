"""Databases with a furnished Hong Kong shop, made once and copied ever after.

Two templates are made without this addon, so they stay good while it changes: Odoo's base with
the company turned into a Hong Kong one; and, from a copy of that, the Point of Sale with Odoo's
own QFPay module and the self-order kiosk beside it, and the shop. A third, with the addon, is made
anew whenever the addon changes. Dumps of the first two in the cache serve other checkouts; in this
checkout's server a template is a database that others are copied from.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from . import machine, odoo_run, postgres
from .machine import CACHE
from .odoo_source import Source

MODULES = ('point_of_sale', 'pos_qfpay', 'pos_self_order')
LANGUAGES = ('zh_HK',)
COMPANY_SCRIPT = Path(__file__).with_name('furnish_company.py')
SHOP_SCRIPT = Path(__file__).with_name('furnish_shop.py')
QFPAY_SCRIPT = Path(__file__).with_name('furnish_qfpay.py')
KEPT = 3
MARK = f'made by the tools of {machine.ADDON}'
# The addon's files that say what is in a database with the addon installed.
INSTALLED = (
    'cashier',
    'controllers',
    'courier',
    'data',
    'i18n',
    'ledger',
    'models',
    'qfpay',
    'security',
    'static/src',
    'views',
)


def _name(kind: str, source: Source, *parts: str | Path) -> str:
    """A template's name: it changes with Odoo's release and with what it is made of."""
    digest = hashlib.sha256(source.release.encode())
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else part.encode())
    return f'qfpay_{kind}_{digest.hexdigest()[:12]}'


def exists(name: str) -> bool:
    """Whether the server has a database of that name."""
    return bool(postgres.sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))


def drop(name: str) -> None:
    """Drop a database if it is there, ending whatever is connected to it.

    On a server that is not this checkout's own, only what these tools have made is dropped.
    """
    if not postgres.embedded() and exists(name):
        comment = "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
        if postgres.sql(f"{comment} WHERE datname = '{name}'") != [[MARK]]:
            raise machine.Problem(
                f'The PostgreSQL that PGHOST names has a database "{name}" that these tools did not'
                ' make: rename or drop it yourself.'
            )
    _client('dropdb', '--force', '--if-exists', name)


def create(source: Source, name: str, template: str | None = None) -> None:
    """Make the database ``name`` anew, as a copy of the template (the furnished shop's)."""
    template = template or ensure_template(source)
    drop(name)
    fast = ['--strategy=file_copy'] if postgres.embedded() else []
    _client('createdb', *fast, '--template', template, name)
    _mark(name)


def _create_empty(name: str) -> None:
    drop(name)
    _client('createdb', '--template=template0', name)
    _mark(name)


def _mark(name: str) -> None:
    postgres.sql(f'COMMENT ON DATABASE "{name}" IS \'{MARK}\'')


def _client(name: str, *arguments: str) -> None:
    """Run one of PostgreSQL's client programs."""
    machine.output_of([postgres.program(name), *arguments], env=postgres.environ())


def own_name(kind: str) -> str:
    """A database's name that no other checkout uses."""
    return f'qfpay_{kind}_{hashlib.sha256(bytes(machine.ROOT)).hexdigest()[:6]}'


def ensure_addon_template(source: Source) -> str:
    """Like :func:`ensure_template`, with this addon as it is now, terminals and methods; its name.

    It is made anew whenever a file of the addon changed.
    """
    digest = hashlib.sha256(ensure_template(source).encode())
    for path in _installed_files():
        digest.update(str(path.relative_to(machine.ROOT)).encode())
        digest.update(path.read_bytes())
    prefix = own_name('addon') + '_'
    name = prefix + digest.hexdigest()[:12]
    with machine.locked(
        machine.RUN / 'addon-template.lock', 'Waiting for another command to install the addon…'
    ):
        if exists(name):
            return name
        # A few old ones stay: a test run that began before the change still copies from its own.
        for (old,) in postgres.sql(
            f"SELECT datname FROM pg_database WHERE datname LIKE '{prefix}%'"
            f' ORDER BY oid DESC OFFSET {KEPT}'
        ):
            drop(old)
        unfinished = f'{name}_unfinished'
        create(source, unfinished)
        _odoo(source, 'Installing the addon', [*_batch(unfinished), '-i', machine.ADDON])
        shell(source, 'Setting up terminals and payment methods', unfinished, QFPAY_SCRIPT)
        postgres.sql(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
    return name


def _installed_files() -> Iterator[Path]:
    yield from sorted(machine.ROOT.glob('*.py'))
    yield QFPAY_SCRIPT
    for folder in INSTALLED:
        for path in sorted((machine.ROOT / folder).rglob('*')):
            if path.is_file() and path.suffix != '.pyc':
                yield path


def ensure_base(source: Source) -> str:
    """The template with Odoo's base and the Hong Kong company, nothing installed; its name."""

    def build(name: str) -> None:
        _create_empty(name)
        _odoo(source, "Making a database with Odoo's base", [*_batch(name), '-i', 'base'])
        shell(source, 'Moving the company to Hong Kong', name, COMPANY_SCRIPT)

    return _ensure(_name('base', source, COMPANY_SCRIPT), build)


def ensure_template(source: Source) -> str:
    """The template with the furnished shop, without this addon; its name."""

    def build(name: str) -> None:
        create(source, name, ensure_base(source))
        languages = f'--load-language={",".join(LANGUAGES)}'
        modules = ','.join(MODULES)
        _odoo(source, 'Installing the Point of Sale', [*_batch(name), languages, '-i', modules])
        shell(source, 'Furnishing the shop', name, SHOP_SCRIPT)

    parts = (*MODULES, *LANGUAGES, COMPANY_SCRIPT, SHOP_SCRIPT)
    return _ensure(_name('template', source, *parts), build)


def _ensure(name: str, build: Callable[[str], None]) -> str:
    """Make a template unless the server has it: from the cache's dump, else by ``build``."""
    if exists(name):
        return name
    with machine.locked(
        CACHE / f'{name}.lock', 'Waiting for another command to make the template database…'
    ):
        if exists(name):
            return name
        machine.need_space(machine.RUN, 1, 'A database')
        dump = CACHE / 'databases' / f'{name}.dump'
        unfinished = f'{name}_unfinished'
        if postgres.embedded() and dump.exists():
            _restore(dump, unfinished)
        else:
            build(unfinished)
            if postgres.embedded():
                _dump(unfinished, dump)
        postgres.sql(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
    return name


def _batch(name: str) -> list[str]:
    """Odoo's arguments for work on a database without serving it."""
    return ['-d', name, '--no-http', '--stop-after-init']


def _odoo(source: Source, title: str, arguments: list[str]) -> None:
    machine.run(title, odoo_run.command(arguments), env=odoo_run.environ(source))


def shell(source: Source, title: str, database: str, script: Path, *options: str) -> None:
    """Run a script inside Odoo's shell on a database; it has ``env`` and must commit itself."""
    line = odoo_run.command(['shell', '-d', database, '--no-http', '--log-level=warn', *options])
    code = f'exec(compile(open({str(script)!r}).read(), {str(script)!r}, "exec"), {{"env": env}})'
    log = machine.LOGS / f'{script.stem}-{database}.log'
    log.parent.mkdir(parents=True, exist_ok=True)
    machine.say(f'{title}…')
    with log.open('w') as output:
        done = subprocess.run(
            line,
            input=code,
            text=True,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=odoo_run.environ(source),
            check=False,
        )
    if done.returncode:
        raise machine.Problem(f'{title} failed: {machine.last_line(log)} (all of it in {log})')


def _dump(name: str, dump: Path) -> None:
    """Put a copy into the cache for other checkouts; half a dump is never seen."""
    dump.parent.mkdir(parents=True, exist_ok=True)
    partial = dump.with_suffix('.partial')
    command: list[str | Path] = [
        postgres.program('pg_dump'),
        '-Fc',
        '-Z1',
        '--no-owner',
        '-f',
        partial,
        name,
    ]
    machine.run('Keeping a copy of the database', command, env=postgres.environ())
    partial.replace(dump)


def _restore(dump: Path, name: str) -> None:
    _create_empty(name)
    command: list[str | Path] = [
        postgres.program('pg_restore'),
        '--no-owner',
        '-j2',
        '-d',
        name,
        dump,
    ]
    machine.run('Restoring the database from the cache', command, env=postgres.environ())
