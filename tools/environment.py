"""The Python environment that Odoo, the simulator and the checks run in.

It lies in the cache in a folder named after what it is made of, so that a checkout with other
requirements, or another Python, makes one of its own beside it instead of pulling this one away
from under a running server.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from pathlib import Path

from . import machine
from .machine import CACHE

REQUIREMENTS = Path(__file__).with_name('requirements.txt')
KEPT = 30 * 24 * 3600  # seconds since an environment's last use, after which it is thrown away


def _digest() -> str:
    made_of = REQUIREMENTS.read_bytes() + sys.version.encode()
    return hashlib.sha256(made_of).hexdigest()[:12]


VENV = CACHE / f'python-{_digest()}'
PYTHON = VENV / 'bin' / 'python'
COMPLETE = VENV / '.complete'


def ensure() -> Path:
    """Make the environment if it is not there; answer its interpreter."""
    if not COMPLETE.exists():
        with machine.locked(CACHE / 'python.lock', 'Waiting for another checkout to use pip…'):
            if not COMPLETE.exists():
                _install()
    COMPLETE.touch()
    return PYTHON


def _install() -> None:
    machine.need_space(CACHE, 2, 'The Python environment')
    for old in CACHE.glob('python-*/.complete'):
        if time.time() - old.stat().st_mtime > KEPT:
            shutil.rmtree(old.parent, ignore_errors=True)
    shutil.rmtree(VENV, ignore_errors=True)
    machine.run(
        'Making a Python environment',
        [sys.executable, '-m', 'venv', VENV],
        problem='Python could not make a virtual environment',
    )
    machine.run(
        'Installing Python packages',
        [PYTHON, '-m', 'pip', 'install', '--progress-bar=off', '-r', REQUIREMENTS],
        env={**os.environ, 'PIP_DISABLE_PIP_VERSION_CHECK': '1'},
        problem='The Python packages could not be installed (is there a network?)',
    )
    COMPLETE.touch()
