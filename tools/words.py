"""Translations: the terms as Odoo exports them, and whether every language has every one.

``make words`` writes ``i18n/*.pot`` anew and brings the languages' files to the same terms (new
ones empty, to be translated). ``make lint`` changes nothing and fails where that would.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

import polib

from . import database, machine, odoo_run, postgres
from .machine import ADDON, ROOT
from .odoo_source import Source

LANGUAGES = ('zh_CN', 'zh_HK', 'zh_TW')
FOLDER = ROOT / 'i18n'
TEMPLATE = FOLDER / f'{ADDON}.pot'
# Beside the addon in its repository, but no part of it: nobody translates them.
NOT_THE_ADDON = ('.*', 'simulator', 'tools', 'tests_pure', 'e2e', 'bench', 'node_modules')
PLACEHOLDER = re.compile(r'%\(\w+\)[a-z]|%[a-z]')


def export() -> polib.POFile:
    """The addon's terms as the sources have them now."""
    source = odoo_run.prepare()
    with postgres.server():
        name = f'qfpay_words_{os.getpid()}'
        database.create(source, name, database.ensure_addon_template(source))
        try:
            with tempfile.TemporaryDirectory() as folder:
                return _export(source, name, Path(folder))
        finally:
            database.drop(name)


def _export(source: Source, name: str, folder: Path) -> polib.POFile:
    """Let Odoo export from a folder that holds the addon alone.

    Odoo follows links, and would walk from the checkout's ``.run`` into the checkout again.
    """
    addon = folder / 'addons' / ADDON
    shutil.copytree(ROOT, addon, ignore=shutil.ignore_patterns(*NOT_THE_ADDON))
    addons = ','.join(str(place) for place in (*source.addons, addon.parent))
    configuration = folder / 'odoo.conf'
    configuration.write_text(f'[options]\naddons_path = {addons}\ndata_dir = {odoo_run.DATA}\n')
    target = folder / 'terms.pot'
    words = ['i18n', 'export', '-c', configuration, '-d', name, '-o', target, ADDON]
    command = odoo_run.command([str(word) for word in words])
    machine.run('Collecting the terms to translate', command, env=odoo_run.environ(source))
    return polib.pofile(str(target), wrapwidth=78)


def problems(terms: polib.POFile) -> list[str]:
    """What is missing, stale, fuzzy or wrong in ``i18n/``, one sentence each."""
    wanted = _places(terms)
    found = []
    for path in (TEMPLATE, *(FOLDER / f'{language}.po' for language in LANGUAGES)):
        name = path.relative_to(ROOT)
        if not path.exists():
            found.append(f'{name} is missing')
            continue
        have = polib.pofile(str(path))
        places = _places(have)
        for text in wanted.keys() - places.keys():
            found.append(f'{name} misses {text!r}')
        for text in places.keys() - wanted.keys():
            found.append(f'{name} has {text!r}, which no source has')
        for text in wanted.keys() & places.keys():
            if wanted[text] != places[text]:
                found.append(f'{name} does not name every place of {text!r}')
        if path != TEMPLATE:
            found += [f'{name}: {words}' for words in _untranslated(have)]
    return found


def _places(terms: polib.POFile) -> dict[str, list[str]]:
    """Each term with where it is used; Odoo puts a translation there and nowhere else."""
    return {
        entry.msgid: sorted({place for place, _line in entry.occurrences})
        for entry in terms
        if not entry.obsolete
    }


def _untranslated(terms: polib.POFile) -> list[str]:
    found = []
    for entry in terms:
        if entry.obsolete:
            found.append(f'{entry.msgid!r} is kept as obsolete')
        elif not entry.msgstr.strip():
            found.append(f'{entry.msgid!r} is not translated')
        elif entry.fuzzy:
            found.append(f'{entry.msgid!r} is fuzzy')
        elif sorted(PLACEHOLDER.findall(entry.msgid)) != sorted(PLACEHOLDER.findall(entry.msgstr)):
            found.append(f'{entry.msgid!r} and its translation have different placeholders')
    return found


def update() -> int:
    """Write the template anew and give every language the same terms; answer the exit code."""
    terms = export()
    FOLDER.mkdir(exist_ok=True)
    if not TEMPLATE.exists() or _places(polib.pofile(str(TEMPLATE))) != _places(terms):
        _save(terms, TEMPLATE)
    for language in LANGUAGES:
        path = FOLDER / f'{language}.po'
        have = polib.pofile(str(path), wrapwidth=78) if path.exists() else _empty(terms, language)
        have.merge(terms)
        for entry in list(have.obsolete_entries()):
            have.remove(entry)
        have.sort(key=lambda entry: entry.msgid)
        _save(have, path)
        missing = sum(not entry.msgstr for entry in have)
        machine.say(f'{path.relative_to(ROOT)}: {len(have)} terms, {missing} to translate')
    return 0


def _empty(terms: polib.POFile, language: str) -> polib.POFile:
    fresh = polib.POFile(wrapwidth=78)
    fresh.header = terms.header
    fresh.metadata = {**terms.metadata, 'Language': language}
    return fresh


def _save(terms: polib.POFile, path: Path) -> None:
    partial = path.with_suffix('.partial')
    terms.save(str(partial))
    partial.replace(path)
