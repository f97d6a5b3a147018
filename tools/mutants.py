"""``make mutants``: small wrong changes in the rules about money, each of which a test must find.

The changes are mutmut's. It is not mutmut that runs them: it changes functions only, and half of
these rules are tables, constants and properties. Here a whole file is changed, one place at a time,
and the tests of its package run against it in a process of its own, a fork of one that has
everything heavy imported. The tests run on a copy of the sources, so that nobody who edits them
meanwhile is disturbed or disturbs.

A change that no test finds has survived. One that cannot be found, because it is no change for
anybody who uses the file, is listed in ``tests_pure/mutants.md`` with its reason.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import os
import re
import resource
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from itertools import takewhile
from pathlib import Path
from typing import Any, NoReturn

from . import machine
from .machine import ADDON, CACHE, ROOT, Problem

REQUIREMENTS = Path(__file__).with_name('requirements-mutants.txt')
LISTED = ROOT / 'tests_pure' / 'mutants.md'
#: what is changed, and the tests that must find it, the quick ones first
TESTED = {
    'ledger': ('tests_pure/ledger',),
    'qfpay/ecr/exchange.py': ('tests_pure/qfpay/ecr/test_exchange.py',),
}
LAST = ('test_recorded.py',)
COPIED = ('ledger', 'qfpay', 'tests_pure')
ENOUGH = 0.95
#: seconds and bytes that a change may take before it counts as found
LONGEST, LARGEST = 60.0, 2 << 30
#: imported before the forks
HEAVY = ('_pytest.assertion.rewrite', 'hypothesis', 'pytest', 'cryptography.fernet', 'requests')
#: calls that mean what they always mean; and what is read before the program runs
_LEFT_OUT_CALLS = ('len', 'isinstance', 'TypeVar')
_LEFT_OUT = ('Annotation', 'Decorator', 'Import', 'ImportFrom')


@dataclass(frozen=True)
class Mutant:
    """One small change: the file, where in it, the lines before and after, and how to make it."""

    path: str
    line: int
    where: str
    before: str
    after: str
    source: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """How the list names it: by what it says and not by its line, which others move."""
        return self.path, self.where, self.before, self.after

    def __str__(self) -> str:
        return f'{self.path}:{self.line} in {self.where}\n  - {self.before}\n  + {self.after}'


@dataclass
class Result:
    """What became of the mutants of one file."""

    killed: int = 0
    timed_out: int = 0
    never_started: int = 0
    survived: list[Mutant] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All of them."""
        return self.killed + len(self.survived)


def run(arguments: Sequence[str]) -> int:
    """Change every file of :data:`TESTED`, or those of ``arguments``; answer the exit code."""
    sys.path.append(str(_ensure()))
    for name in HEAVY:
        importlib.import_module(name)
    another = 'Waiting for another run of this checkout to end…'
    with machine.locked(machine.RUN / 'mutants.lock', another):
        sources = _copy()
        paths = [path for path in _files(sources) if not arguments or path in arguments]
        if not paths:
            raise Problem(f'{" ".join(arguments)}: none of {", ".join(_files(sources))}')
        started = time.monotonic()
        results = {path: _Run(sources, path).try_all() for path in paths}
        return _judge(results, _listed(), time.monotonic() - started)


# ----------------------------------------------------------------------------
# Before
# ----------------------------------------------------------------------------


def _ensure() -> Path:
    """The folder with what REQUIREMENTS names, installed where it is missing."""
    made_of = REQUIREMENTS.read_bytes() + sys.version.encode()
    folder = CACHE / f'mutants-{hashlib.sha256(made_of).hexdigest()[:12]}'
    with machine.locked(CACHE / 'python.lock', 'Waiting for another checkout to use pip…'):
        if not folder.exists():
            partial = folder.with_suffix('.partial')
            shutil.rmtree(partial, ignore_errors=True)
            pip = [sys.executable, '-m', 'pip', 'install', '--no-deps', '--progress-bar=off']
            machine.run(
                'Installing mutmut',
                [*pip, '--target', partial, '-r', REQUIREMENTS],
                env={**os.environ, 'PIP_DISABLE_PIP_VERSION_CHECK': '1'},
                problem='mutmut could not be installed (is there a network?)',
            )
            partial.rename(folder)
    return folder


def _copy() -> Path:
    """The sources and their tests, as they are now."""
    folder = machine.RUN / 'mutants' / ADDON
    shutil.rmtree(folder, ignore_errors=True)
    ignored = shutil.ignore_patterns('simulation', '__pycache__')
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    return folder


def _files(sources: Path) -> list[str]:
    found = []
    for name in TESTED:
        path = sources / name
        found += [path] if path.is_file() else sorted(path.rglob('*.py'))
    return [str(path.relative_to(sources)) for path in found if path.name != '__init__.py']


def _tests(sources: Path, path: str) -> list[str]:
    """The tests of a file, its own first and the slow ones last."""
    names = next(tests for part, tests in TESTED.items() if f'{path}/'.startswith(f'{part}/'))
    found: list[Path] = []
    for name in names:
        place = sources / name
        found += [place] if place.is_file() else sorted(place.rglob('test_*.py'))
    own = f'test_{Path(path).name}'
    in_order = sorted(found, key=lambda place: (place.name in LAST, place.name != own, place))
    return [str(place) for place in in_order]


# ----------------------------------------------------------------------------
# Changes
# ----------------------------------------------------------------------------


def _mutants(path: str, source: str) -> Iterator[Mutant]:
    """Every small change of a file that is one, without the doubles."""
    cst = importlib.import_module('libcst')
    metadata = importlib.import_module('libcst.metadata')
    operators = importlib.import_module('mutmut.mutation.mutators').mutation_operators
    wrapper = metadata.MetadataWrapper(cst.parse_module(source))
    lines = wrapper.resolve(metadata.PositionProvider)
    seen = {source}
    for node, where in _nodes(wrapper.module, ''):
        for kind, operator in operators:
            if not isinstance(node, kind):
                continue
            for changed in operator(node):
                text = wrapper.module.deep_replace(node, changed).code
                if text in seen or not _is_python(text):
                    continue
                seen.add(text)
                before, after = _difference(source.splitlines(), text.splitlines())
                line = lines[node].start.line if node in lines else 0
                yield Mutant(path, line, where or 'the module', before, after, text)


def _nodes(node: Any, where: str) -> Iterator[tuple[Any, str]]:
    """All parts of a file, and the function or class in which each stands."""
    name = type(node).__name__
    if name in _LEFT_OUT or (name == 'Assign' and _is_type(node.value)):
        return
    if name == 'Call' and getattr(node.func, 'value', None) in _LEFT_OUT_CALLS:
        return
    if name in ('ClassDef', 'FunctionDef'):
        where = f'{where}.{node.name.value}' if where else node.name.value
    yield node, where
    for child in node.children:
        yield from _nodes(child, where)


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """With how many equal lines two texts begin."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))


def _is_type(node: Any) -> bool:
    """Whether it names a type: types mean nothing while a program runs."""
    return getattr(getattr(node, 'value', None), 'value', None) == 'Literal'


def _difference(one: list[str], other: list[str]) -> tuple[str, str]:
    """The lines in which two texts differ, each side as one line."""
    begin = _alike(one, other)
    end = _alike(one[begin:][::-1], other[begin:][::-1])
    sides = (lines[begin : len(lines) - end] for lines in (one, other))
    before, after = (' '.join(line.strip() for line in side) for side in sides)
    return before, after


# ----------------------------------------------------------------------------
# Trying them
# ----------------------------------------------------------------------------


class _Loader(SourceFileLoader):
    """A module from a text instead of its file; nothing is read from or kept in a cache."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_data(self, path: str) -> bytes:
        return self._source.encode()

    def path_stats(self, path: str) -> Any:
        raise OSError(path)


class _Finder:
    """Finds one module, changed."""

    def __init__(self, name: str, path: Path, source: str) -> None:
        self._name, self._path, self._source = name, path, source

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> ModuleSpec | None:
        """What :data:`sys.meta_path` asks."""
        if name != self._name:
            return None
        loader = _Loader(name, str(self._path), self._source)
        return spec_from_file_location(name, self._path, loader=loader)


@dataclass(frozen=True)
class _Trial:
    """A mutant under its tests, in their order, and until when."""

    mutant: Mutant
    tests: Sequence[str]
    until: float


class _Run:
    """The tests of one file against its mutants, as many at once as there are processors."""

    def __init__(self, sources: Path, path: str) -> None:
        self.result = Result()
        self._sources = sources
        self._path = path
        self._tests = _tests(sources, path)
        self._source = (sources / path).read_text(encoding='utf-8')
        self._longest = LONGEST
        self._running: dict[int, _Trial] = {}

    def try_all(self) -> Result:
        """Try each; tell the score."""
        started = time.monotonic()
        self._try_as_it_is()
        self._longest = min(LONGEST, 10 + 10 * (time.monotonic() - started))
        try:
            for mutant in _mutants(self._path, self._source):
                while len(self._running) >= len(os.sched_getaffinity(0)):
                    self._collect()
                self._begin(mutant)
            while self._running:
                self._collect()
        finally:
            for process in list(self._running):
                self._end(process)
        found, total = self.result.killed, self.result.total
        machine.say(
            f'{self._path}: {found} of {total} found ({found / max(total, 1):.1%}),'
            f' {total - found} survived, in {time.monotonic() - started:.0f} s'
        )
        return self.result

    def _try_as_it_is(self) -> None:
        """Also lets pytest keep the tests in the form in which it reads them."""
        self._begin(Mutant(self._path, 0, '', '', '', self._source))
        while self._running:
            self._collect()
        if self.result.killed:
            raise Problem(f'The tests of {self._path} fail as it is: run "tools/test-pure" first.')
        self.result = Result()

    def _begin(self, mutant: Mutant) -> None:
        """Start the tests in a fork of this process."""
        tests = self._tests
        process = os.fork()
        if not process:
            name = f'{ADDON}.{self._path.removesuffix(".py").replace("/", ".")}'
            finder = _Finder(name, self._sources / self._path, mutant.source)
            _be_tested(finder, self._sources, tests)
        self._running[process] = _Trial(mutant, tests, time.monotonic() + self._longest)

    def _collect(self) -> None:
        """Wait a moment for one of the processes to end, or end one that takes too long."""
        for process, trial in list(self._running.items()):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                del self._running[process]
                self._note(trial, os.waitstatus_to_exitcode(status))
                return
            if time.monotonic() >= trial.until:
                self._end(process)
                self.result.killed += 1
                self.result.timed_out += 1
                return
        time.sleep(0.005)

    def _end(self, process: int) -> None:
        del self._running[process]
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)

    def _note(self, trial: _Trial, code: int) -> None:
        if code == 0:
            self.result.survived.append(trial.mutant)
            return
        if code == _NOT_TESTED:
            raise Problem(f'The tests could not be run against this change: {trial.mutant}')
        self.result.killed += 1
        self.result.never_started += code < _FOUND_BY
        if code >= _FOUND_BY:
            # what finds one change is likely to find the next one
            found_by = trial.tests[code - _FOUND_BY]
            if Path(found_by).name not in LAST:
                self._tests = [found_by, *(test for test in self._tests if test != found_by)]


#: a fork's exit code: no test was run; a test failed, in this file and the next ones
_NOT_TESTED, _FOUND_BY = 70, 100


class _Witness:
    """Tells pytest's failures by their files."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._names = [Path(test).name for test in tests]
        self.found_by: int | None = None

    def pytest_runtest_logreport(self, report: Any) -> None:
        """What pytest calls for each result."""
        name = Path(report.nodeid.partition('::')[0]).name
        if report.failed and self.found_by is None and name in self._names:
            self.found_by = self._names.index(name)


def _be_tested(finder: _Finder, sources: Path, tests: Sequence[str]) -> NoReturn:
    """Be the fork in which the tests run. It ends with 0 where they pass."""
    code = _NOT_TESTED
    try:
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(silence, stream)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_AS, (LARGEST, LARGEST))
        sys.meta_path.insert(0, finder)
        # of the copied tests, as pytest reads them; the changed module itself is never kept
        sys.dont_write_bytecode = False
        os.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'
        _find_only()
        code = _test(sources, tests)
    finally:
        os._exit(code)


def _find_only() -> None:
    """Let hypothesis find a failure, and not its simplest form, too."""
    hypothesis = importlib.import_module('hypothesis')
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)
    hypothesis.settings.register_profile('mutants', phases=phases)
    hypothesis.settings.load_profile('mutants')


def _test(sources: Path, tests: Sequence[str]) -> int:
    """The first file by itself: it is likely to be enough."""
    pytest = importlib.import_module('pytest')
    witness = _Witness(tests)
    options = ['-c', str(sources / 'tests_pure/pytest.ini'), '-x', '-q', '--tb=no']
    code = 0
    for some in (tests[:1], tests[1:]):
        if some and not code:
            code = int(pytest.main([*options, '-p', 'no:warnings', *some], [witness]))
    return code if witness.found_by is None else _FOUND_BY + witness.found_by


# ----------------------------------------------------------------------------
# What is listed, and the verdict
# ----------------------------------------------------------------------------

_ENTRY = re.compile(
    r'- `(?P<before>.*?)`\n  `(?P<after>.*?)`\n  (?P<why>\S.*?)(?=\n\n|\n- |\Z)', re.S
)


def _listed() -> dict[tuple[str, str, str, str], str]:
    """The changes that are none, by their key, each with its reason."""
    text = LISTED.read_text(encoding='utf-8') if LISTED.exists() else ''
    found = {}
    for part in re.split(r'^## ', text, flags=re.MULTILINE)[1:]:
        path, _, rest = part.partition('\n')
        for section in re.split(r'^### ', rest, flags=re.MULTILINE)[1:]:
            where, _, entries = section.partition('\n')
            for entry in _ENTRY.finditer(entries):
                key = (path.strip(), where.strip(), entry['before'], entry['after'])
                found[key] = ' '.join(entry['why'].split())
    return found


def _judge(
    results: dict[str, Result], listed: dict[tuple[str, str, str, str], str], seconds: float
) -> int:
    """Print what survived, and the score; answer the exit code."""
    survived = [mutant for result in results.values() for mutant in result.survived]
    killed = sum(result.killed for result in results.values())
    timed_out = sum(result.timed_out for result in results.values())
    never_started = sum(result.never_started for result in results.values())
    total = killed + len(survived)
    missing = [mutant for mutant in survived if mutant.key not in listed]
    for mutant in missing:
        machine.say(f'NOT FOUND {mutant}')
    keys = {mutant.key for mutant in survived}
    for key in listed:
        if key[0] in results and key not in keys:
            machine.say(f'Listed and found, or gone: {key[0]} in {key[1]}: {key[2]} → {key[3]}')
    score = killed / max(total, 1)
    machine.say(
        f'{total} small changes in {seconds:.0f} s: {killed} found ({score:.1%}; {never_started} of'
        f' them before any test, {timed_out} by their time), {len(survived)} survived,'
        f' {len(survived) - len(missing)} of them listed in {LISTED.relative_to(ROOT)} as no change'
    )
    if score < ENOUGH:
        machine.say(f'Too few are found: at least {ENOUGH:.0%} must be.')
    return 1 if missing or score < ENOUGH else 0
