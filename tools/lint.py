"""``make lint``: style, types, imports, Odoo's conventions, JavaScript, complete translations."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from . import contracts, environment, javascript, machine, odoo_run, testing, words
from .machine import ADDON, ROOT

TYPED = ('tools',)


def run_all() -> int:
    """Run every check, all of them even when one fails; answer the exit code."""
    odoo_run.prepare()
    bad = []
    for name, (command, env, folder) in _commands().items():
        done = subprocess.run(
            command, env=env, cwd=folder, capture_output=True, text=True, check=False
        )
        _tell(name, not done.returncode)
        if done.returncode:
            bad.append(name)
            machine.say((done.stdout + done.stderr).strip())
    found = contracts.problems()
    _tell('imports', not found)
    if found:
        bad.append('imports')
        machine.say('\n'.join(found))
    found = words.problems(words.export())
    _tell('translations', not found)
    if found:
        bad.append('translations')
        machine.say('\n'.join(sorted(found)))
        machine.say('"make words" brings i18n/ to the terms of the sources.')
    machine.say(f'Not clean: {", ".join(bad)}' if bad else 'Everything is clean.')
    return 1 if bad else 0


def tidy() -> int:
    """Let the formatters write what they would only complain about; answer the exit code."""
    ruff = str(environment.PYTHON.parent / 'ruff')
    prettier, env = javascript.commands()['prettier']
    commands = [
        [ruff, 'check', '--quiet', '--fix', '.'],
        [ruff, 'format', '--quiet', '.'],
        [word.replace('--check', '--write') for word in prettier],
    ]
    codes = [subprocess.run(words, env=env, cwd=ROOT, check=False).returncode for words in commands]
    return 1 if any(codes) else 0


def _tell(name: str, clean: bool) -> None:
    machine.say(f'{name}: {"clean" if clean else "not clean"}')


def _commands() -> dict[str, tuple[list[str], dict[str, str], Path]]:
    """Each check by name: its command line, its environment, the folder to run it in."""
    programs = environment.PYTHON.parent
    env = {**os.environ, 'RUFF_CACHE_DIR': str(machine.RUN / 'ruff')}
    configuration = str(ROOT / 'pyproject.toml')
    mypy = [f'{programs}/mypy', f'--cache-dir={machine.RUN}/mypy', f'--config-file={configuration}']
    # Under the addon's own name, or a relative import would lead nowhere.
    pure = [word for name in testing.pure_packages() for word in ('-p', f'{ADDON}.{name}')]
    pylint = [f'{programs}/pylint', f'--rcfile={configuration}', '--score=n', ADDON]
    ruff = [f'{programs}/ruff', f'--config={configuration}']
    checks = {
        'ruff': ([*ruff, 'check', '--quiet', '.'], env, ROOT),
        'ruff format': ([*ruff, 'format', '--check', '--quiet', '.'], env, ROOT),
        'mypy': ([*mypy, *TYPED], env, ROOT),
        'mypy of the addon': ([*mypy, *pure], env, odoo_run.ADDONS),
        'pylint-odoo': (pylint, env, odoo_run.ADDONS),
    }
    for name, (command, variables) in javascript.commands().items():
        checks[name] = (command, variables, ROOT)
    return checks
