"""``python -m tools COMMAND``: what the Makefile and the small scripts beside this file call."""

from __future__ import annotations

import os
import subprocess
import sys

from . import database, environment, machine, odoo_run, postgres, programs, testing


def odoo(arguments: list[str]) -> int:
    """Run Odoo in the foreground with this checkout's configuration."""
    return odoo_run.pass_through(arguments)


def psql(arguments: list[str]) -> int:
    """Run psql on this checkout's database server."""
    return postgres.pass_through('psql', arguments)


def createdb(arguments: list[str]) -> int:
    """Make a database with the furnished shop, as a copy of the template.

    With ``--with-addon`` the addon is installed, with two terminals and its payment methods.
    """
    with_addon = '--with-addon' in arguments
    names = [word for word in arguments if word != '--with-addon']
    if len(names) != 1 or names[0].startswith('-'):
        raise machine.Problem('Usage: tools/createdb [--with-addon] NAME')
    source = odoo_run.prepare()
    with postgres.server():
        template = database.ensure_addon_template(source) if with_addon else None
        database.create(source, names[0], template)
    return 0


def dropdb(arguments: list[str]) -> int:
    """Drop databases of this checkout's server."""
    with postgres.server():
        for name in arguments:
            database.drop(name)
    return 0


def e2e(arguments: list[str]) -> int:
    """Run only the tests against servers that really run; ``arguments`` are pytest's."""
    programs.ensure_browser()
    line = [*testing.e2e_command(), *arguments]
    return subprocess.run(line, cwd=machine.ROOT / 'e2e', check=False).returncode


def test(_arguments: list[str]) -> int:
    """Run every test."""
    return testing.run_all()


COMMANDS = {command.__name__: command for command in (odoo, psql, createdb, dropdb, e2e, test)}


def main() -> int:
    """Run one command; a :class:`machine.Problem` becomes one sentence and exit code 1."""
    machine.end_politely_on_signals()
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        print(f'Usage: python -m tools {"|".join(COMMANDS)} …', file=sys.stderr)
        return 2
    try:
        python = environment.ensure()
        if sys.prefix != str(environment.VENV):
            os.execv(python, [str(python), '-m', 'tools', *sys.argv[1:]])
        return COMMANDS[sys.argv[1]](sys.argv[2:])
    except machine.Problem as problem:
        print(f'{problem}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
