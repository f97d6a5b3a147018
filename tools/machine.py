"""The machine under the tools: places, locks, commands with their progress, and clear refusals.

Everything that can be shared between checkouts lies in one cache folder; what belongs to this
checkout (its database server's data, logs, pictures) lies in its own ignored ``.run``.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ADDON = 'pos_payment_qfpay'
ROOT = Path(__file__).resolve().parent.parent
RUN = ROOT / '.run'
LOGS = RUN / 'logs'
CACHE = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache').resolve() / ADDON


class Problem(Exception):
    """Why the tools cannot go on, in one sentence that says what to do about it."""


def say(text: str) -> None:
    """Tell the person at the terminal what happens now."""
    print(text, flush=True)


@contextlib.contextmanager
def locked(path: Path, waiting: str) -> Iterator[None]:
    """Hold the lock file ``path``; while somebody else has it, say ``waiting`` once and wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open('w') as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(waiting)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def write_atomically(path: Path, text: str) -> None:
    """Write ``text`` so that a reader sees the old file or the whole new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f'.{path.name}.')
    with os.fdopen(handle, 'w') as file:
        file.write(text)
    os.chmod(name, 0o644)
    os.replace(name, path)


def watch(
    title: str,
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    log: Path,
) -> int:
    """Run a slow command and show that it moves: its title, the seconds, its last line.

    The whole output goes to ``log``. Answers the exit code.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    live = sys.stdout.isatty()
    with log.open('wb') as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=None if env is None else dict(env),
            cwd=cwd,
        )
        try:
            next_word = 15.0
            while process.poll() is None:
                time.sleep(0.2)
                seconds = time.monotonic() - started
                if live:
                    room = max(0, shutil.get_terminal_size().columns - len(title) - 12)
                    line = f'{title} {seconds:4.0f} s  {last_line(log)[:room]}'
                    print(f'\r\033[K{line}', end='', flush=True)
                elif seconds >= next_word:
                    say(f'{title}: {seconds:.0f} s so far; {last_line(log)[:120]}')
                    next_word += 15
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if live:
        print('\r\033[K', end='', flush=True)
    word = 'done in' if process.returncode == 0 else 'failed after'
    say(f'{title}: {word} {time.monotonic() - started:.0f} s')
    return process.returncode


def run(
    title: str,
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    problem: str = '',
) -> None:
    """Like :func:`watch`, for a command that must not fail.

    The log is a file in ``.run/logs`` named after the title. A non-zero exit raises
    :class:`Problem` with ``problem`` (or the title), the last line and the log's place.
    """
    log = LOGS / (re.sub(r'[^a-z0-9]+', '-', title.lower()).strip('-') + '.log')
    if watch(title, command, env=env, cwd=cwd, log=log):
        raise Problem(f'{problem or title + " failed"}: {last_line(log)} (all of it in {log})')


def foreground(command: Sequence[str | Path], env: Mapping[str, str]) -> int:
    """Run a program that has the terminal to itself; answer its exit code.

    Ctrl-C is the program's business: a terminal sends it there too, and once is enough.
    """
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        process = subprocess.Popen([str(part) for part in command], env=dict(env))
        try:
            return process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    finally:
        signal.signal(signal.SIGINT, before)


def last_line(log: Path) -> str:
    """The last non-empty line of a log, with nothing in it that moves a terminal's cursor."""
    with contextlib.suppress(OSError), log.open('rb') as file:
        file.seek(max(0, log.stat().st_size - 4096))
        lines = re.split(r'[\r\n]+', file.read().decode('utf-8', 'replace').strip())
        return re.sub(r'[\x00-\x1f\x7f]', '', lines[-1])
    return ''


def output_of(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> str:
    """What a quick command prints; a failing one raises :class:`Problem` with its own words."""
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env=None if env is None else dict(env),
        check=False,
    )
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines() or ['no reason given']
        raise Problem(f'{Path(str(command[0])).name} failed: {words[-1]}')
    return done.stdout


def need_space(folder: Path, gigabytes: float, what: str) -> None:
    """Refuse to begin ``what`` when ``folder``'s disk has less than ``gigabytes`` free."""
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free / 1e9
    if free < gigabytes:
        raise Problem(
            f'{what} needs {gigabytes:g} GB of disk under {folder}, but only {free:.1f} GB are'
            ' free: make room, or name another place in XDG_CACHE_HOME.'
        )


def free_port() -> int:
    """A loopback TCP port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return int(probe.getsockname()[1])


def claim_port(variable: str) -> int:
    """The port that the environment's ``variable`` asks for, or any free one.

    A port that is not a number or is taken raises :class:`Problem`.
    """
    wanted = os.environ.get(variable)
    if not wanted:
        return free_port()
    if not wanted.isdecimal() or not 0 < int(wanted) < 65536:
        raise Problem(f'{variable}={wanted} is no port: give a number between 1 and 65535.')
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(('127.0.0.1', int(wanted)))
        except OSError as error:
            raise Problem(
                f'Port {wanted} ({variable}) cannot be used: {error.strerror}. Stop what uses it,'
                f' or leave {variable} out to take any free port.'
            ) from error
    return int(wanted)


def end_politely_on_signals() -> None:
    """Make SIGTERM and SIGHUP unwind like Ctrl-C, so that every started server is stopped.

    Ctrl-C too, where a shell that put us in the background has switched it off.
    """

    def unwind(number: int, _frame: object) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, unwind)
    signal.signal(signal.SIGHUP, unwind)
