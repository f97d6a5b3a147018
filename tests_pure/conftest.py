"""Tests of what is pure Python in this addon, ``qfpay/`` and ``ledger/``, without Odoo.

Run with ``make test-pure`` (all of them, with their coverage) or ``tools/test-pure [pytest's
arguments]`` (only these tests, for instance ``tools/test-pure -k refund -x``).

Whoever imports the addon gets Odoo with it, because the addon's own ``__init__`` does. So here the
addon is a package with the same name and place and without that ``__init__``: imports such as
``pos_payment_qfpay.qfpay.outcome``, and relative ones inside, find the same files. What tests share
is imported in the same way (``pos_payment_qfpay.tests_pure.qfpay.bad_server``).
"""

import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path

ADDON = 'pos_payment_qfpay'

_spec = ModuleSpec(ADDON, None, is_package=True)
_spec.submodule_search_locations = [str(Path(__file__).resolve().parent.parent)]
sys.modules[ADDON] = module_from_spec(_spec)
