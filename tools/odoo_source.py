"""Odoo 19's source: the one that ODOO_HOME names, or Debian's own package unpacked in the cache.

Debian's unstable suite has the package ``odoo-19``. It cannot be installed on a stable Debian, but
it can be downloaded by apt (with its signatures checked) through a private source list, and
unpacked. The machine's own package sources are read, not touched.
"""

from __future__ import annotations

import functools
import os
import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import machine
from .machine import CACHE, Problem

HOME = CACHE / 'odoo'
UNSTABLE = ('odoo-19', 'libjs-jquery', 'libjs-jquery-form', 'libjs-underscore')
UNSTABLE_FONTS = ('fonts-roboto-unhinted', 'fonts-montserrat', 'fonts-ocr-b')
# Unstable has moved the files of these two; the package's links point at bookworm's places.
BOOKWORM = ('fonts-font-awesome', 'fonts-inconsolata')
# Debian leaves this file out for its licence. Its absence makes every bundle log an error.
LEFT_OUT = 'addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js'


@dataclass(frozen=True, slots=True)
class Source:
    """Where an Odoo lies: the folder to put on PYTHONPATH, its addons folders, its release."""

    path: Path
    addons: tuple[Path, ...]
    release: str


def ensure() -> Source:
    """Find Odoo 19, fetching and unpacking it first where nobody has done so yet."""
    named = os.environ.get('ODOO_HOME')
    if named:
        return _read(Path(named).expanduser().resolve(), 'ODOO_HOME')
    if not (HOME / '.complete').exists():
        with machine.locked(CACHE / 'odoo.lock', 'Waiting for another checkout to unpack Odoo…'):
            if not (HOME / '.complete').exists():
                _fetch()
    return _read(HOME, 'the cache')


@functools.cache
def _read(home: Path, whose: str) -> Source:
    """Recognise a git checkout, an unpacked package or a site-packages folder."""
    for path in (home, home / 'usr/lib/python3/dist-packages'):
        release = path / 'odoo/release.py'
        if not release.exists():
            continue
        found = re.search(r'^version_info = \(([^)]*)\)', release.read_text(), re.MULTILINE)
        numbers = found[1].replace(' ', '').split(',') if found else ['0', '0']
        if numbers[:2] != ['19', '0']:
            raise Problem(f'The Odoo in {path} ({whose}) is {numbers[0]}.{numbers[1]}, not 19.0.')
        folders = (path / 'addons', path / 'odoo/addons')
        addons = tuple(folder for folder in folders if folder.is_dir())
        if not any((folder / 'point_of_sale').is_dir() for folder in addons):
            raise Problem(f'The Odoo in {path} ({whose}) has no point_of_sale addon.')
        return Source(path, addons, _version(release))
    raise Problem(f'There is no Odoo in {home} ({whose}): its odoo/release.py is missing.')


def _version(release: Path) -> str:
    """A word that changes when the source does: the release file's date stands for the package."""
    return f'19.0-{int(release.stat().st_mtime)}'


def debian_sources(apt: Path, codename: str) -> list[tuple[str, str]]:
    """Each (options, address) in apt's configuration that serves Debian itself, main mirror first.

    Reads both of apt's formats: one line per source (``.list``) and paragraphs (``.sources``).

    :param apt: apt's folder (``/etc/apt``)
    :param codename: this release's name; its suite tells the mirror from security updates
    """
    folder = apt / 'sources.list.d'
    found: list[tuple[str, str, str]] = []
    for path in [apt / 'sources.list', *sorted(folder.glob('*.list'))]:
        for line in path.read_text().splitlines() if path.exists() else []:
            match = re.match(r'\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+(.*)', line)
            if match and 'main' in match[4].split():
                found.append(((match[1] or '').strip(), match[2], match[3]))
    for path in sorted(folder.glob('*.sources')):
        for paragraph in re.split(r'\n\s*\n', path.read_text()):
            found += _paragraph_sources(_fields(paragraph))
    suites = (codename, 'stable', 'sid', 'unstable')
    return [(options, address) for options, address, suite in found if suite in suites]


def _paragraph_sources(fields: dict[str, str]) -> list[tuple[str, str, str]]:
    """The (options, address, suite) of a paragraph that offers binary packages of ``main``."""
    wanted = (
        'deb' in fields.get('types', '').split()
        and 'main' in fields.get('components', '').split()
        and fields.get('enabled', 'yes').lower() not in ('no', 'false')
    )
    if not wanted:
        return []
    key = fields.get('signed-by', '')
    options = f'signed-by={key}' if key.startswith('/') else ''
    return [
        (options, address, suite)
        for address in fields.get('uris', '').split()
        for suite in fields.get('suites', '').split()
    ]


def _fields(paragraph: str) -> dict[str, str]:
    """The fields of a deb822 paragraph by lower-case name; comments dropped, lines joined."""
    fields: dict[str, str] = {}
    name = ''
    for line in paragraph.splitlines():
        if line.startswith('#'):
            continue
        if line[:1].isspace() and name:
            fields[name] += ' ' + line.strip()
        elif ':' in line:
            name, _, value = line.partition(':')
            name = name.lower()
            fields[name] = value.strip()
    return fields


def _os_release() -> dict[str, str]:
    lines = Path('/etc/os-release').read_text().splitlines()
    pairs = (line.split('=', 1) for line in lines if '=' in line)
    return {name: ''.join(shlex.split(value)) for name, value in pairs}


def _fetch() -> None:
    system = _os_release()
    if system.get('ID') != 'debian':
        raise Problem(
            'Odoo 19 is fetched from Debian, and this machine is not a Debian: put an Odoo 19'
            ' somewhere and name its folder in ODOO_HOME.'
        )
    sources = debian_sources(Path('/etc/apt'), system.get('VERSION_CODENAME', ''))
    if not sources:
        raise Problem('apt has no Debian mirror configured: name an Odoo 19 folder in ODOO_HOME.')
    machine.need_space(CACHE, 3, 'Odoo')
    options, address = sources[0]
    work = CACHE / 'odoo.new'
    shutil.rmtree(work, ignore_errors=True)
    debs = work / 'debs'
    for folder in ('debs', 'lists/partial', 'archives/partial', 'tree'):
        (work / folder).mkdir(parents=True)
    start = f'deb [{options}] {address}' if options else f'deb {address}'
    (work / 'sources.list').write_text(f'{start} sid main\n{start} bookworm main\n')
    apt = ['apt-get', '-q', '-o', f'Dir::Etc::sourcelist={work}/sources.list']
    apt += ['-o', 'Dir::Etc::sourceparts=/dev/null', '-o', f'Dir::State::Lists={work}/lists']
    apt += ['-o', f'Dir::Cache={work}', '-o', 'APT::Sandbox::User=']
    apt += ['-o', 'APT::Get::List-Cleanup=false', '-o', 'Acquire::Retries=3']
    offline = "Odoo's package could not be fetched from apt's mirror (is there a network?)"
    machine.run(
        "Reading Debian's package lists",
        [*apt, '-o', 'APT::Update::Error-Mode=any', 'update'],
        problem=offline,
    )
    wanted = [f'{name}/sid' for name in UNSTABLE + UNSTABLE_FONTS]
    wanted += [f'{name}/bookworm' for name in BOOKWORM]
    machine.run('Downloading Odoo 19', [*apt, 'download', *wanted], cwd=debs, problem=offline)
    for package in sorted(debs.glob('*.deb')):
        if package.name.startswith('odoo-19'):
            machine.run('Unpacking Odoo 19', ['dpkg-deb', '-x', package, work / 'tree'])
        else:
            machine.output_of(['dpkg-deb', '-x', package, work / 'tree'])
    missing = work / 'tree/usr/lib/python3/dist-packages/odoo' / LEFT_OUT
    missing.parent.mkdir(parents=True, exist_ok=True)
    missing.touch()
    dangling = [
        path for path in (work / 'tree').rglob('*') if path.is_symlink() and not path.exists()
    ]
    if dangling:
        raise Problem(f'The unpacked Odoo points at a file that is not there: {dangling[0]}')
    (work / 'tree/.complete').touch()
    shutil.rmtree(HOME, ignore_errors=True)
    (work / 'tree').rename(HOME)
    shutil.rmtree(work)
