"""Programs and fonts of the machine that apt brings: a browser, and letters for Chinese."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from . import machine
from .machine import Problem

BROWSERS = ('chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome')
CHINESE_FONTS = ('NotoSansCJK*', 'NotoSerifCJK*', 'wqy-*', 'uming*', 'SourceHanSans*')


def browser() -> str:
    """The path of this machine's Chromium or Chrome; '' where there is none."""
    return next(filter(None, map(shutil.which, BROWSERS)), None) or ''


def _has_chinese_font() -> bool:
    folders = (Path('/usr/share/fonts'), Path('/usr/local/share/fonts'), Path.home() / '.fonts')
    return any(next(folder.rglob(name), None) for folder in folders for name in CHINESE_FONTS)


def ensure_browser() -> None:
    """Install Chromium and a font with Chinese letters where they are missing."""
    packages = []
    if not browser():
        packages.append('chromium')
    if not _has_chinese_font():
        packages.append('fonts-noto-cjk')
    if packages:
        _install(packages)


def _install(packages: list[str]) -> None:
    names = ' '.join(packages)
    by_hand = f'run "apt-get install {names}" as root, then try again.'
    if not shutil.which('apt-get'):
        raise Problem(f'{names} is missing and this machine has no apt: install it and try again.')
    with machine.locked(machine.CACHE / 'apt.lock', 'Waiting for another checkout to use apt…'):
        apt = [*_as_root(names, by_hand), 'apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300']
        machine.need_space(Path('/usr'), 1, f'Installing {names}')
        machine.run(
            'Reading package lists',
            [*apt, '-o', 'APT::Update::Error-Mode=any', 'update'],
            problem=f'{names} cannot be installed, apt found no mirror (is there a network?)',
        )
        machine.run(
            f'Installing {names}',
            [*apt, '-y', '--no-install-recommends', 'install', *packages],
            env={**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'},
            problem=f'apt could not install {names}',
        )


def _as_root(names: str, by_hand: str) -> list[str]:
    """What to put before a command so that root runs it; may ask for the user's password."""
    if os.geteuid() == 0:
        return []
    if not shutil.which('sudo'):
        raise Problem(f'{names} is missing, and you are not root and have no sudo: {by_hand}')
    quiet = subprocess.run(['sudo', '-n', 'true'], capture_output=True, check=False)
    if quiet.returncode:
        machine.say(f'{names} must be installed: sudo may ask for your password.')
        if subprocess.run(['sudo', '-v'], check=False).returncode:
            raise Problem(f'{names} is missing, and sudo did not let you install it: {by_hand}')
    return ['sudo', '--preserve-env=DEBIAN_FRONTEND']
