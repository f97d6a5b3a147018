"""The Python environment that Odoo, the simulator and the checks run in."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from . import machine
from .machine import CACHE

VENV = CACHE / 'venv'
PYTHON = VENV / 'bin' / 'python'
REQUIREMENTS = Path(__file__).with_name('requirements.txt')


def _stamp() -> str:
    """What an environment is made of: the wanted packages and the Python that runs them."""
    wanted = REQUIREMENTS.read_bytes() + sys.version.encode()
    return hashlib.sha256(wanted).hexdigest()


def ensure() -> Path:
    """Make the environment if it is not there as wanted; answer its interpreter."""
    stamp = VENV / '.complete'
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == _stamp():
        return PYTHON
    with machine.locked(CACHE / 'venv.lock', 'Waiting for another checkout to install packages…'):
        if PYTHON.exists() and stamp.exists() and stamp.read_text() == _stamp():
            return PYTHON
        _install()
        machine.write_atomically(stamp, _stamp())
    return PYTHON


def _install() -> None:
    machine.need_space(CACHE, 2, 'The Python environment')
    if not _works():
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


def _works() -> bool:
    """Whether an environment is there and is of this very Python version."""
    if not PYTHON.exists():
        return False
    question = 'import sys, pip; print(sys.version)'
    done = subprocess.run([PYTHON, '-c', question], capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.strip() == sys.version.strip()
