"""``make test``: every test there is, and one line that counts them.

In order: ``tests_pure/`` without Odoo, a minute of the simulation, Odoo's own runner (Python tests
and tours, while the addon is installed), the JavaScript unit suite in the same database, then
``e2e/`` against servers that really run. What should have run and did not (a line of pure Python,
a tour that nobody starts, a suite without a result, a test file that nobody imports) counts as
failed.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from . import database, machine, odoo_run, postgres, programs
from .machine import ADDON, LOGS, ROOT
from .odoo_source import Source

JS_SUITE = f'/web:WebSuite.test_unit_desktop[@{ADDON}]'
#: packages that work without Odoo; each of their lines and branches is tested without it
PURE = ('qfpay', 'ledger')
#: seconds after which the simulation begins no more schedules
SIMULATED = 55
LINE = re.compile(r'^\d{4}-\d\d-\d\d \S+ \d+ (\w+) \S+ (\S+): (.*)')


@dataclass
class Count:
    """The outcome of a suite: what passed, what failed (with a name each), what was skipped."""

    passed: int = 0
    skipped: int = 0
    failed: list[str] = field(default_factory=list)

    def add(self, other: Count) -> None:
        """Add another suite's outcome to this one."""
        self.passed += other.passed
        self.skipped += other.skipped
        self.failed += other.failed

    def __str__(self) -> str:
        return f'{self.passed} passed, {len(self.failed)} failed, {self.skipped} skipped'


def run_all() -> int:
    """Run everything; answer the exit code (0 when nothing failed)."""
    total = Count()
    total.add(_report('Tests without Odoo', _pure()))
    total.add(_report('Simulation', _simulation()))
    programs.ensure_browser()
    source = odoo_run.prepare()
    another = 'Waiting for another test run of this checkout to end…'
    with machine.locked(machine.RUN / 'test.lock', another), postgres.server():
        name = f'qfpay_test_{os.getpid()}'
        try:
            database.create(source, name)
            total.add(_report('Python tests and tours', _python_and_tours(source, name)))
            total.add(_report('JavaScript unit tests', _javascript(source, name)))
        finally:
            database.drop(name)
        total.add(_report('Tests against running servers', _running_servers()))
    total.add(_not_listed())
    for name in total.failed:
        machine.say(f'FAILED {name}')
    machine.say(str(total))
    return 1 if total.failed or not total.passed else 0


def _report(title: str, count: Count) -> Count:
    machine.say(f'{title}: {count}')
    return count


def run_pure(arguments: Sequence[str]) -> int:
    """Run the tests that need no Odoo in the foreground; answer the exit code.

    All of them, with the coverage of what they test, which must be complete; or with pytest's
    ``arguments`` some of them, without.
    """
    os.chdir(ROOT / 'tests_pure' if arguments else ROOT)
    line = [*pure_command(), *(arguments or _pure_coverage())]
    with tempfile.TemporaryDirectory(prefix=f'{ADDON}-') as folder:
        return machine.foreground(line, _pure_environ(folder))


def pure_packages() -> list[str]:
    """The packages of :data:`PURE` that there are."""
    return [name for name in PURE if (ROOT / name).is_dir()]


def pure_command() -> list[str]:
    """pytest on ``tests_pure/``, with its configuration."""
    return [sys.executable, '-m', 'pytest', '-c', str(ROOT / 'tests_pure/pytest.ini')]


def _pure_coverage() -> list[str]:
    """pytest's arguments, at the root, for all tests with their coverage, folder by folder."""
    measured = [f'--cov={ROOT / name}' for name in pure_packages()]
    return ['tests_pure', f'--cov-config={ROOT / "pyproject.toml"}', *measured]


def _pure_environ(folder: str) -> dict[str, str]:
    """The environment of a run without Odoo, which leaves its data in ``folder``."""
    return {
        **os.environ,
        'COVERAGE_FILE': f'{folder}/coverage',
        'HYPOTHESIS_STORAGE_DIRECTORY': f'{folder}/hypothesis',
    }


def _pure() -> Count:
    log = LOGS / 'test-pure.log'
    with tempfile.TemporaryDirectory(prefix=f'{ADDON}-') as folder:
        result = Path(folder, 'result.xml')
        line = [*pure_command(), *_pure_coverage(), f'--junitxml={result}']
        env = _pure_environ(folder)
        code = machine.watch('Running tests without Odoo', line, env=env, cwd=ROOT, log=log)
        count = count_junit(result, code, 'pure')
    if count.failed:
        machine.say(log.read_text(errors='replace')[-20_000:])
        machine.say(f'The whole log: {log}')
    return count


def simulation_command() -> list[str]:
    """The rules about money against everything that goes wrong, from any seed."""
    return [sys.executable, str(ROOT / 'tests_pure/simulation')]


def _simulation() -> Count:
    log = LOGS / 'simulation.log'
    line = [*simulation_command(), f'--seconds={SIMULATED}']
    code = machine.watch('Simulating bad days', line, cwd=ROOT, log=log)
    text = log.read_text(errors='replace')
    count = count_simulation(text, code)
    machine.say(text[-20_000:] if count.failed else '\n'.join(_ends(text)))
    return count


def count_simulation(text: str, code: int) -> Count:
    """Count a run of the simulation, as one test: it passed, or how to play it again."""
    seed, result = _ends(text)
    if not code and 'no disagreement' in result:
        return Count(passed=1)
    return Count(failed=[f'simulation: {seed}; {result} (exit code {code})'])


def _ends(text: str) -> tuple[str, str]:
    """The first line, which tells the seed, and the last, which tells what came of it."""
    lines = text.strip().splitlines() or ['it said nothing']
    return lines[0], lines[-1]


def _odoo(source: Source, title: str, log: Path, arguments: list[str]) -> int:
    words = [*arguments, '--stop-after-init', '--max-cron-threads=0']
    words.append(f'--screenshots={machine.RUN / "tours"}')
    return machine.watch(
        title, odoo_run.command(words), env=odoo_run.environ(source), cwd=ROOT, log=log
    )


def _python_and_tours(source: Source, name: str) -> Count:
    log = LOGS / 'test-odoo.log'
    arguments = ['-d', name, '-i', ADDON, f'--test-tags=/{ADDON}']
    code = _odoo(source, 'Running Python tests and tours', log, arguments)
    text = log.read_text(errors='replace')
    count = count_odoo(text, code)
    for tour in _tours():
        if f'Tour {tour} ' not in text:
            count.failed.append(f'tour {tour}: it did not run')
    _show_failures(count, log, text)
    return count


def _javascript(source: Source, name: str) -> Count:
    if not any((ROOT / 'static/tests/unit').rglob('*.test.js')):
        return Count(failed=['JavaScript unit tests: there are none'])
    log = LOGS / 'test-js.log'
    arguments = ['-d', name, f'--test-tags={JS_SUITE}']
    code = _odoo(source, 'Running JavaScript unit tests', log, arguments)
    text = log.read_text(errors='replace')
    count = count_javascript(text, code)
    _show_failures(count, log, text)
    return count


def count_odoo(text: str, code: int) -> Count:
    """Count a log of Odoo's test runner.

    :param text: the log
    :param code: the process's exit code
    """
    started: set[str] = set()
    failed: set[str] = set()
    skipped: set[str] = set()
    finished = False
    for level, logger, message in _messages(text):
        if logger == 'odoo.tests.result':
            finished = True
        elif match := re.match(r'Starting (\S+) \.\.\.', message):
            started.add(match[1])
        elif match := re.match(r'skipped (?:Subtest )?(\S+)', message):
            skipped.add(match[1])
        elif level == 'ERROR' and (
            match := re.match(r'(?:FAIL|ERROR): (?:Subtest )?(.+)', message)
        ):
            words = match[1].split()
            failed.add(words[0] if '.' in words[0] else f'{match[1]} in {logger}')
    count = Count(len(started - failed - skipped), len(skipped - failed), sorted(failed))
    if not finished:
        count.failed.append(f"Odoo's test run: it did not finish (exit code {code})")
    elif not started:
        count.failed.append("Odoo's test run: it started no test")
    elif code and not failed:
        count.failed.append(f"Odoo's test run: no test failed, but its exit code is {code}")
    return count


def count_javascript(text: str, code: int) -> Count:
    """Count a log of the browser's unit suite (HOOT) inside Odoo's runner."""
    passed = [int(number) for number in re.findall(r'Passed (\d+) tests \(', text)]
    failures = re.findall(r'\[HOOT\] Test "([^"]+)" failed', text)
    some = re.findall(r'Failed (\d+) tests \((\d+) passed', text)
    if len(passed) == 1 and passed[0] and not code and not failures:
        return Count(passed=passed[0])
    count = Count(failed=[f'JavaScript unit test {name}' for name in dict.fromkeys(failures)])
    if some:
        count.passed = int(some[-1][1])
        missing = int(some[-1][0]) - len(count.failed)
        count.failed += ['JavaScript unit test (see the log)'] * missing
    if not count.failed:
        count.failed.append(f'JavaScript unit tests: the suite did not run (exit code {code})')
    return count


def _messages(text: str) -> Iterator[tuple[str, str, str]]:
    for line in text.splitlines():
        if match := LINE.match(line):
            yield match[1], match[2], match[3]


def _tours() -> list[str]:
    """The names of the addon's own tours: what its tour files register at their top level."""
    pattern = re.compile(r'^\w.*\(\s*["\'](qfpay_\w+)["\']\s*,', re.MULTILINE)
    files = sorted((ROOT / 'static/tests/tours').rglob('*.js'))
    return [name for path in files for name in pattern.findall(path.read_text())]


def _not_listed() -> Count:
    """Test files that exist and that Odoo's runner never sees, since nobody imports them."""
    imports = (ROOT / 'tests/__init__.py').read_text()
    names = [path.stem for path in sorted((ROOT / 'tests').glob('test_*.py'))]
    lost = [name for name in names if not re.search(rf'\b{name}\b', imports)]
    return Count(failed=[f'tests/{name}.py: tests/__init__.py does not import it' for name in lost])


def _show_failures(count: Count, log: Path, text: str) -> None:
    """Print what Odoo's log says about each failure, so that nobody must open it first."""
    if not count.failed:
        return
    shown = 0
    lines = text.splitlines()
    for number, line in enumerate(lines):
        match = LINE.match(line)
        if not match or match[1] not in ('ERROR', 'CRITICAL') or shown >= 20:
            continue
        block = [line]
        for more in lines[number + 1 : number + 41]:
            if LINE.match(more):
                break
            block.append(more)
        machine.say('\n'.join(block))
        shown += 1
    machine.say(f'The whole log: {log}')


def _running_servers() -> Count:
    log = LOGS / 'test-e2e.log'
    result = machine.RUN / 'e2e.xml'
    result.unlink(missing_ok=True)
    line = [*e2e_command(), f'--junitxml={result}']
    code = machine.watch('Running tests against servers', line, cwd=ROOT / 'e2e', log=log)
    count = count_junit(result, code)
    if count.failed:
        machine.say(log.read_text(errors='replace')[-20_000:])
        machine.say(f'The whole log: {log}')
    return count


def e2e_command() -> list[str]:
    """pytest on ``e2e/``, with its configuration."""
    return [sys.executable, '-m', 'pytest', '-c', str(ROOT / 'e2e/pytest.ini')]


def count_junit(path: Path, code: int, suite: str = 'e2e') -> Count:
    """Count pytest's result file; none, or one without a test, is a failure."""
    count = Count()
    cases = []
    if path.exists():
        cases = list(ElementTree.parse(path).getroot().iter('testcase'))  # noqa: S314 (our own)
    for case in cases:
        name = f'{suite} {case.get("classname")}::{case.get("name")}'
        if case.find('failure') is not None or case.find('error') is not None:
            count.failed.append(name)
        elif case.find('skipped') is not None:
            count.skipped += 1
        else:
            count.passed += 1
    count.failed = list(dict.fromkeys(count.failed))
    if not cases:
        count.failed.append(f'{suite}: no test ran (exit code {code})')
    elif code and not count.failed:
        count.failed.append(f'{suite}: no test failed, but the exit code is {code}')
    return count
