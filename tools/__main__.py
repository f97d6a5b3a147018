"""``python -m tools COMMAND``: what the Makefile and the small scripts beside this file call."""

from __future__ import annotations

import sys

from . import database, environment, machine, odoo_run, postgres


def odoo(arguments: list[str]) -> int:
    """Run Odoo in the foreground with this checkout's configuration."""
    environment.ensure()
    return odoo_run.pass_through(arguments)


def psql(arguments: list[str]) -> int:
    """Run psql on this checkout's database server."""
    environment.ensure()
    return postgres.pass_through('psql', arguments)


def createdb(arguments: list[str]) -> int:
    """Make a database with the furnished shop, as a copy of the cached template."""
    environment.ensure()
    if len(arguments) != 1:
        raise machine.Problem('Usage: tools/createdb NAME')
    source = odoo_run.prepare()
    with postgres.server():
        database.create(source, arguments[0])
    return 0


def dropdb(arguments: list[str]) -> int:
    """Drop databases of this checkout's server."""
    environment.ensure()
    with postgres.server():
        for name in arguments:
            database.drop(name)
    return 0


COMMANDS = {command.__name__: command for command in (odoo, psql, createdb, dropdb)}


def main() -> int:
    """Run one command; a :class:`machine.Problem` becomes one sentence and exit code 1."""
    machine.end_politely_on_signals()
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(f'Usage: python -m tools {"|".join(COMMANDS)} …', file=sys.stderr)
        return 2
    try:
        return COMMANDS[sys.argv[1]](sys.argv[2:])
    except machine.Problem as problem:
        print(f'{problem}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
