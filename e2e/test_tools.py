"""The tools themselves: what they count, what they read, what they refuse."""

from __future__ import annotations

import socket

import pytest

from tools import contracts, machine, testing
from tools.odoo_source import debian_sources

STAMP = '2026-11-21 06:04:07,401 24557'


def odoo_log(*lines: str) -> str:
    return '\n'.join(f'{STAMP} {line}' for line in lines)


TESTS = 'db odoo.addons.pos_payment_qfpay.tests.test_a'
RESULT = 'db odoo.tests.result'


def test_a_run_of_odoo_is_counted():
    log = odoo_log(
        f'INFO {TESTS}: Starting TestA.test_one ... ',
        f'INFO {TESTS}: Starting TestA.test_two ... ',
        f'ERROR {TESTS}: FAIL: TestA.test_two',
        f'INFO {TESTS}: Starting TestA.test_three ... ',
        f'ERROR {TESTS}: FAIL: Subtest TestA.test_three (n=1)',
        f'ERROR {TESTS}: FAIL: Subtest TestA.test_three (n=2)',
        f'INFO {TESTS}: Starting TestA.test_four ... ',
        f'INFO {TESTS}: skipped TestA.test_four : no browser',
        f'ERROR {TESTS}: ERROR: setUpClass (odoo.addons.pos_payment_qfpay.tests.test_a.TestB)',
        f'ERROR {RESULT}: 3 failed, 1 error(s) of 4 tests when loading database',
    )
    count = testing.count_odoo(log, 1)
    assert count.passed == 1
    assert count.skipped == 1
    assert len(count.failed) == 3
    assert {'TestA.test_two', 'TestA.test_three'} < set(count.failed)


@pytest.mark.parametrize(
    ('lines', 'code'),
    [
        pytest.param([], 1, id='nothing'),
        pytest.param([f'INFO {TESTS}: Starting TestA.test_one ... '], 255, id='broken off'),
        pytest.param([f'WARNING {RESULT}: 0 failed, 0 error(s) of 0 tests'], 0, id='no test'),
        pytest.param(
            [
                f'INFO {TESTS}: Starting TestA.test_one ... ',
                f'INFO {RESULT}: 0 failed, 0 error(s) of 1 tests',
            ],
            1,
            id='exit code',
        ),
    ],
)
def test_a_run_of_odoo_that_was_none_has_failed(lines, code):
    assert testing.count_odoo(odoo_log(*lines), code).failed


BROWSER = 'INFO db odoo.addons.web.tests.test_js.WebSuite.test_unit_desktop.browser:'


def test_a_javascript_suite_is_counted():
    passed = odoo_log(f'{BROWSER} Passed 36 tests (105 assertions, total time: 1)')
    assert str(testing.count_javascript(passed, 0)) == '36 passed, 0 failed, 0 skipped'
    failed = odoo_log(
        f'{BROWSER} [HOOT] Test "@pos_payment_qfpay/line/green" failed:',
        f'{BROWSER} Failed 2 tests (34 passed, total time: 1)',
    )
    count = testing.count_javascript(failed, 1)
    assert str(count) == '34 passed, 2 failed, 0 skipped'
    assert 'JavaScript unit test @pos_payment_qfpay/line/green' in count.failed


@pytest.mark.parametrize(
    ('line', 'code'),
    [
        ('nothing was said', 0),
        ('no tests to run', 0),
        ('Passed 0 tests (0 assertions, total time: 0)', 0),
        ('Passed 36 tests (105 assertions, total time: 1)', 1),
    ],
)
def test_a_javascript_suite_that_did_not_run_has_failed(line, code):
    assert testing.count_javascript(odoo_log(f'{BROWSER} {line}'), code).failed


def test_a_run_of_pytest_is_counted(tmp_path):
    result = tmp_path / 'result.xml'
    result.write_text(
        '<testsuites><testsuite>'
        '<testcase classname="a" name="one"/>'
        '<testcase classname="a" name="two"><failure message="no"/></testcase>'
        '<testcase classname="a" name="two"><error message="nor at the end"/></testcase>'
        '<testcase classname="a" name="three"><skipped message="why"/></testcase>'
        '</testsuite></testsuites>'
    )
    assert str(testing.count_junit(result, 1)) == '1 passed, 1 failed, 1 skipped'
    assert testing.count_junit(tmp_path / 'missing.xml', 4).failed
    result.write_text('<testsuites><testsuite/></testsuites>')
    assert testing.count_junit(result, 5).failed


def test_a_run_that_missed_a_line_has_failed(tmp_path):
    result = tmp_path / 'result.xml'
    result.write_text('<testsuites><testcase classname="a" name="one"/></testsuites>')
    assert str(testing.count_junit(result, 0, 'pure')) == '1 passed, 0 failed, 0 skipped'
    assert testing.count_junit(result, 1, 'pure').failed == [
        'pure: no test failed, but the exit code is 1'
    ]


@pytest.fixture
def addon(tmp_path):
    """A folder with the addon's parts, as far as there are any: courier is a module here."""
    for part in ('models', 'controllers', 'simulator', 'qfpay', 'qfpay/ecr', 'ledger'):
        (tmp_path / part).mkdir()
        (tmp_path / part / '__init__.py').touch()
    (tmp_path / '__init__.py').write_text('from . import controllers, models\n')
    (tmp_path / 'courier.py').touch()
    return tmp_path


def test_a_run_of_the_simulation_is_counted():
    good = 'Base seed 7\n100 schedules in 60 s, 2 in a second: no disagreement\n'
    assert str(testing.count_simulation(good, 0)) == '1 passed, 0 failed, 0 skipped'
    bad = 'Base seed 7\n…\n=> r1 is done, and no money moved\nAgain: make simulate SEED=9 N=1\n'
    assert testing.count_simulation(bad, 1).failed == [
        'simulation: Base seed 7; Again: make simulate SEED=9 N=1 (exit code 1)'
    ]
    assert testing.count_simulation('', 0).failed
    assert testing.count_simulation(good, 1).failed


def test_nothing_breaks_no_contract(addon, tmp_path_factory):
    assert contracts.problems(addon) == []
    assert contracts.problems(tmp_path_factory.mktemp('empty')) == []


@pytest.mark.parametrize(
    ('place', 'line'),
    [
        ('qfpay/ecr/a.py', 'from ..errors import NotSent'),
        ('qfpay/ecr/a.py', 'from . import b'),
        ('qfpay/ecr/a.py', 'import requests.adapters'),
        ('ledger/a.py', 'from ..qfpay.outcome import Outcome'),
        ('ledger/a.py', 'from ..qfpay import money, times'),
        ('ledger/a.py', 'from ..qfpay.ecr.message import CHANNELS'),
        ('ledger/a.py', 'from ..qfpay.openapi import catalogue'),
        ('courier.py', 'from .qfpay.openapi.gateway import Gateway'),
        ('courier.py', 'import odoo'),
        ('models/a.py', 'from .. import courier'),
        ('models/a.py', 'from odoo.addons.pos_payment_qfpay.ledger import rules'),
        ('models/a.py', 'from odoo.addons.point_of_sale.models import pos_order'),
        ('controllers/a.py', 'from ..models.b import C'),
        ('simulator/a.py', 'from simulator.b import c'),
    ],
)
def test_imports_that_are_allowed(addon, place, line):
    (addon / place).write_text(f'{line}\n')
    assert contracts.problems(addon) == []


@pytest.mark.parametrize(
    ('place', 'line', 'name'),
    [
        ('qfpay/ecr/a.py', 'from ...ledger import rules', 'ledger.rules'),
        ('qfpay/ecr/a.py', 'from ... import courier', 'courier'),
        ('qfpay/a.py', 'import odoo.addons.pos_payment_qfpay.models.b as b', 'models.b'),
        ('qfpay/a.py', 'import pos_payment_qfpay', 'pos_payment_qfpay'),
        ('qfpay/a.py', 'from odoo.addons import pos_payment_qfpay', 'pos_payment_qfpay'),
        ('qfpay/a.py', 'def later():\n    from ..simulator import book', 'simulator.book'),
        ('qfpay/a.py', 'import odoo', 'odoo'),
        ('qfpay/a.py', 'from ...point_of_sale import models', 'odoo.addons.point_of_sale.models'),
        (
            'ledger/a.py',
            'from ..qfpay.openapi.gateway import Gateway',
            'qfpay.openapi.gateway.Gateway',
        ),
        ('ledger/a.py', 'from ..qfpay import http', 'qfpay.http'),
        ('ledger/a.py', 'from ..qfpay import *', 'qfpay.*'),
        ('ledger/a.py', 'from .. import qfpay', 'qfpay'),
        ('ledger/a.py', 'from ..qfpay.ecr.message import Payment', 'qfpay.ecr.message.Payment'),
        ('ledger/a.py', 'from ..qfpay.outcomes import Outcome', 'qfpay.outcomes.Outcome'),
        ('ledger/a.py', 'from odoo.tools import float_round', 'odoo.tools.float_round'),
        ('courier.py', 'from . import controllers', 'controllers'),
        ('courier/a.py', 'from ..controllers.b import c', 'controllers.b.c'),
        ('cashier/a.py', 'from ..controllers.b import c', 'controllers.b.c'),
        ('models/a.py', 'from ..controllers import b', 'controllers.b'),
        ('models/a.py', 'from .. import hooks', 'hooks'),
        ('controllers/a.py', 'from ..ledger.rules import judge', 'ledger.rules.judge'),
        ('controllers/a.py', 'from ..courier import Errand', 'courier.Errand'),
        ('simulator/a.py', 'from ..qfpay.ecr import cipher', 'qfpay.ecr.cipher'),
        ('simulator/a.py', 'from qfpay.ecr import cipher', 'qfpay.ecr.cipher'),
    ],
)
def test_imports_that_are_forbidden(addon, place, line, name):
    path = addon / place
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'{line}\n')
    (sentence,) = contracts.problems(addon)
    assert sentence.startswith(f'{place}:{len(line.splitlines())}: ')
    assert sentence.endswith(f' {name}')


def test_both_formats_of_apt_sources(tmp_path):
    folder = tmp_path / 'sources.list.d'
    folder.mkdir()
    (tmp_path / 'sources.list').write_text(
        '# deb http://commented.example/debian bookworm main\n'
        'deb-src http://source.example/debian bookworm main\n'
        'deb [arch=amd64 signed-by=/k.gpg] http://one.example/debian bookworm main contrib\n'
        'deb http://one.example/security bookworm-security main\n'
    )
    (folder / 'debian.sources').write_text(
        'Types: deb deb-src\n# a remark\nURIs: http://two.example/debian\n'
        '  http://three.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n'
        'Signed-By: /usr/share/keyrings/debian.gpg\n\n'
        'Types: deb\nURIs: http://off.example/debian\nSuites: bookworm\nComponents: main\n'
        'Enabled: no\n\n'
        'Types: deb\nURIs: http://security.example\nSuites: bookworm-security\nComponents: main\n'
    )
    (folder / 'other.list').write_text('deb http://browser.example/deb stable extra\n')
    key = 'signed-by=/usr/share/keyrings/debian.gpg'
    assert debian_sources(tmp_path, 'bookworm') == [
        ('arch=amd64 signed-by=/k.gpg', 'http://one.example/debian'),
        (key, 'http://two.example/debian'),
        (key, 'http://three.example/debian'),
    ]


def test_a_port_in_use_is_one_sentence(monkeypatch):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = taken.getsockname()[1]
        monkeypatch.setenv('PORT', str(port))
        with pytest.raises(machine.Problem, match=rf'^Port {port} \(PORT\) cannot be used'):
            machine.claim_port('PORT')
    assert machine.claim_port('PORT') == port
    monkeypatch.setenv('PORT', 'seventy')
    with pytest.raises(machine.Problem, match='is no port'):
        machine.claim_port('PORT')


def test_no_room_is_one_sentence(tmp_path):
    with pytest.raises(machine.Problem, match=r'^Odoo needs .* GB of disk'):
        machine.need_space(tmp_path, 1e9, 'Odoo')
