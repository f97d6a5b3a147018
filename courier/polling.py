"""One question for all payments of an account that are open: the account's round.

A hundred customers may stand before a hundred codes. So nobody asks for each of them: one query
names them all, every two seconds. What it says of a number is kept like any other word. That it
does not name one proves nothing, and the rules know that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..ledger.testimony import About, Fact, Witness
from ..qfpay.errors import AnswerLost, InvalidRequest, NotSent, RateLimited
from ..qfpay.masking import masked
from ..qfpay.openapi.account import Account
from ..qfpay.openapi.gateway import Gateway
from .budget import RESERVE, Budget
from .carrying import Word
from .clock import me
from .database import transact

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What to ask. `rows`: the rows' ids by their references; `since`: the oldest one's request."""

    account: Account
    rows: Mapping[str, int]
    since: datetime
    claim: int
    asked: str = field(default='query of open payments')


def go_round(db_name: str, link_id: int, budget: Budget, tell: Callable[[int], None]) -> None:
    """Ask once about all that is due on an account's link, and keep what was said."""
    found: Round | None = transact(
        db_name, lambda env: env['qfpay.link'].browse(link_id)._claim_round(me())
    )
    if found is None:
        return
    words = _ask(found, budget)
    news = transact(db_name, lambda env: env['qfpay.transaction']._note_repeated(words))
    for row_id in news:
        try:
            has_news = transact(
                db_name,
                lambda env, row_id=row_id: (
                    env['qfpay.transaction'].browse(row_id)._take_word(words[row_id])
                ),
            )
        except Exception:
            # one row's trouble is not the others'
            _logger.exception('QFPay: transaction %s could not be told its news', row_id)
            continue
        if has_news:
            tell(row_id)


def _ask(found: Round, budget: Budget) -> dict[int, Word]:
    """What was said of each row."""
    try:
        gateway = Gateway(found.account, permit=lambda: budget.take(RESERVE))
        outcomes = gateway.query(list(found.rows), since=found.since)
    except (NotSent, AnswerLost, RateLimited, InvalidRequest) as error:
        _logger.info('QFPay: the open payments could not be asked about: %s', error)
        reason = getattr(error, 'reason', 'rate_limited')
        word = Word(
            witness=Witness.SERVER,
            about=About.LIST,
            fact=Fact.UNANSWERED,
            reason=reason,
            claim=found.claim,
        )
        return dict.fromkeys(found.rows.values(), word)
    return {
        row_id: Word(
            witness=Witness.INQUIRY,
            about=About.LIST,
            outcome=outcomes[reference],
            claim=found.claim,
            asked=found.asked,
            heard=masked(outcomes[reference].heard),
        )
        for reference, row_id in found.rows.items()
    }
