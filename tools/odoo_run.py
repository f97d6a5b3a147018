"""How Odoo is started here: its environment, its configuration file, its command line."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from . import environment, machine, odoo_source, postgres
from .machine import RUN

CONFIGURATION = RUN / 'odoo.conf'
DATA = RUN / 'odoo-data'
ADDONS = RUN / 'addons'
# A file, since workers start their bus by the name of the program that was started.
PROGRAM = RUN / 'odoo-bin'
_PROGRAM = """import sys

sys.path[0] = ''  # what lies in the folder where it was started can be imported
import odoo.cli

odoo.cli.main()
"""


def prepare() -> odoo_source.Source:
    """Find Odoo and write what it reads: a link under the addon's own name and a configuration."""
    source = odoo_source.ensure()
    DATA.mkdir(parents=True, exist_ok=True)
    ADDONS.mkdir(parents=True, exist_ok=True)
    link = ADDONS / machine.ADDON
    if not link.is_symlink() or link.resolve() != machine.ROOT:
        link.unlink(missing_ok=True)
        link.symlink_to(machine.ROOT, target_is_directory=True)
    addons = ','.join(str(folder) for folder in (*source.addons, ADDONS))
    text = f"""[options]
addons_path = {addons}
data_dir = {DATA}
http_interface = 127.0.0.1
admin_passwd = admin
list_db = False
without_demo = True
"""
    for path, content in ((CONFIGURATION, text), (PROGRAM, _PROGRAM)):
        if not path.exists() or path.read_text() != content:
            machine.write_atomically(path, content)
    return source


def environ(source: odoo_source.Source) -> dict[str, str]:
    """The environment of an Odoo process: its source, its configuration, its database server."""
    variables = postgres.environ()
    variables['PYTHONPATH'] = str(source.path)
    variables['ODOO_RC'] = str(CONFIGURATION)
    variables['VIRTUAL_ENV'] = str(environment.VENV)
    variables['PATH'] = f'{environment.PYTHON.parent}{os.pathsep}{variables["PATH"]}'
    variables['PYTHONDONTWRITEBYTECODE'] = '1'
    return variables


def command(arguments: Sequence[str | Path]) -> list[str]:
    """Odoo's command line; a server gets free ports of its own where none are asked for."""
    words = [str(argument) for argument in arguments]
    line = [str(environment.PYTHON), str(PROGRAM)]
    if words and not words[0].startswith('-'):
        return [*line, *words]
    for option, short in (('--http-port', '-p'), ('--gevent-port', None)):
        given = any(word.split('=')[0] in (option, short) for word in words)
        if not given and '--no-http' not in words:
            words.append(f'{option}={machine.free_port()}')
    return [*line, *words]


def pass_through(arguments: Sequence[str]) -> int:
    """Run Odoo in the foreground with the given arguments; answer its exit code."""
    source = prepare()
    with postgres.server():
        return machine.foreground(command(arguments), environ(source))
