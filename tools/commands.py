"""The commands: what the Makefile and the small scripts beside this file call by name."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from typing import NoReturn

from . import database, demo, lint, machine, mutants, odoo_run, postgres, programs, testing, words
from .machine import Problem


def _odoo(arguments: list[str]) -> int:
    """Run Odoo in the foreground with this checkout's configuration."""
    return odoo_run.pass_through(arguments)


def _psql(arguments: list[str]) -> int:
    """Run psql on this checkout's database server."""
    return postgres.pass_through('psql', arguments)


def _createdb(arguments: list[str]) -> int:
    """Make a database with the furnished shop, as a copy of the template.

    With ``--with-addon`` the addon is installed, with two terminals and its payment methods.
    """
    with_addon = '--with-addon' in arguments
    names = [word for word in arguments if word != '--with-addon']
    if len(names) != 1 or names[0].startswith('-'):
        raise Problem('Usage: tools/createdb [--with-addon] NAME')
    source = odoo_run.prepare()
    with postgres.server():
        template = database.ensure_addon_template(source) if with_addon else None
        database.create(source, names[0], template)
    return 0


def _dropdb(arguments: list[str]) -> int:
    """Drop databases of this checkout's server."""
    with postgres.server():
        for name in arguments:
            database.drop(name)
    return 0


def _e2e(arguments: list[str]) -> NoReturn:
    """Run only the tests against servers that really run; ``arguments`` are pytest's."""
    programs.ensure_browser()
    os.chdir(machine.ROOT / 'e2e')
    os.execv(sys.executable, [*testing.e2e_command(), *arguments])


def _test_pure(arguments: list[str]) -> int:
    """Run the tests that need no Odoo: all, with their coverage, or those that pytest is told."""
    return testing.run_pure(arguments)


def _simulate(arguments: list[str]) -> int:
    """Play schedules of the rules about money; ``arguments`` are those of its own command."""
    return machine.foreground([*testing.simulation_command(), *arguments], os.environ)


def _bench(arguments: list[str]) -> NoReturn:
    """Measure beside Odoo's own module."""
    programs.ensure_browser()
    os.chdir(machine.ROOT)
    os.execv(sys.executable, [sys.executable, '-m', 'bench', *arguments])


def _clean(_arguments: list[str]) -> int:
    """Throw away what this checkout made while running, its database server included."""
    if postgres.in_use():
        raise Problem('Another command of this checkout is running: end it first.')
    shutil.rmtree(machine.RUN, ignore_errors=True)
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    'bench': _bench,
    'clean': _clean,
    'createdb': _createdb,
    'demo': lambda _arguments: demo.run(),
    'dropdb': _dropdb,
    'e2e': _e2e,
    'lint': lambda _arguments: lint.run_all(),
    'mutants': mutants.run,
    'odoo': _odoo,
    'psql': _psql,
    'simulate': _simulate,
    'tidy': lambda _arguments: lint.tidy(),
    'test': lambda _arguments: testing.run_all(),
    'test-pure': _test_pure,
    'words': lambda _arguments: words.update(),
}


def run(arguments: list[str]) -> int:
    """Run the command that the first argument names; answer the exit code."""
    if not arguments or arguments[0] not in COMMANDS:
        print(f'Usage: python -m tools {"|".join(COMMANDS)} …', file=sys.stderr)
        return 2
    return COMMANDS[arguments[0]](arguments[1:])
