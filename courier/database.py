"""Transactions of the courier's own."""

import time
from collections.abc import Callable
from typing import TypeVar

from psycopg2.errors import UniqueViolation
from psycopg2.extensions import TransactionRollbackError

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry

_TRIES = 20
_PAUSE = 0.02
Answer = TypeVar('Answer')


def transact(db_name: str, action: Callable[[api.Environment], Answer]) -> Answer:
    """Run `action(env)` in a transaction of its own, as the system user, and commit.

    Runs it again when another transaction touched the same rows in between.

    :return: what the action returned
    """
    for tries_left in range(_TRIES, -1, -1):
        try:
            with Registry(db_name).cursor() as cr:
                return action(api.Environment(cr, SUPERUSER_ID, {}))
        except (TransactionRollbackError, UniqueViolation):
            # serialization failure, deadlock, or somebody was faster by a moment
            if not tries_left:
                raise
            time.sleep(_PAUSE)
    raise AssertionError('unreachable')
