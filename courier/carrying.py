"""An errand: one step on its way to QFPay, as data.

It holds what is asked, and the settings of the moment in which the step was claimed; neither cursor
nor records. Carried, it becomes a `Word`: what QFPay said, or why it said nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..ledger.testimony import About, Fact, Witness
from ..qfpay.ecr import exchange
from ..qfpay.ecr.cipher import PosKey
from ..qfpay.ecr.link_http import HttpLink
from ..qfpay.ecr.message import Command
from ..qfpay.errors import AnswerLost, InvalidRequest, NoSuchCall, NotSent, RateLimited
from ..qfpay.masking import masked
from ..qfpay.openapi.account import Account
from ..qfpay.openapi.gateway import Gateway
from ..qfpay.openapi.message import Cancel, Payment, Refund
from ..qfpay.outcome import Outcome
from . import clock

_logger = logging.getLogger(__name__)

#: seconds between the claim and the first byte; whoever slept longer does not send any more
VALID = 5.0

Hook = Callable[[], None]
_ANSWERED = (About.REQUEST, About.CANCEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class AtTerminal:
    """A command for a terminal."""

    link: HttpLink
    key: PosKey
    command: Command

    @property
    def asked(self) -> str:
        return exchange.in_words(self.command)

    def carry(self, before_first_byte: Hook, _permit: Hook) -> Outcome:
        request = exchange.request(self.command, self.key)
        raw = self.link.exchange(
            request.path,
            request.body,
            read_timeout=request.patience,
            deadline=request.patience + exchange.MARGIN,
            before_first_byte=before_first_byte,
        )
        return exchange.outcome(self.command, raw, self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question about one number, at the gateway. `since`: when it was requested."""

    reference: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AtGateway:
    """A request for QFPay's gateway."""

    account: Account
    request: Payment | Refund | Cancel | Query

    @property
    def asked(self) -> str:
        if isinstance(self.request, Query):
            return f'query out_trade_no={self.request.reference}'
        sent = self.request.fields().items()
        return masked(' '.join(f'{name}={value}' for name, value in sent if value))

    def carry(self, before_first_byte: Hook, permit: Hook) -> Outcome:
        gateway = Gateway(self.account, permit=permit, before_first_byte=before_first_byte)
        request = self.request
        if isinstance(request, Query):
            return gateway.query([request.reference], since=request.since)[request.reference]
        if isinstance(request, Cancel):
            return gateway.cancel(request)
        if isinstance(request, Refund):
            return gateway.refund(request)
        return gateway.pay(request)


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One thing that was said, before it is kept; see `ledger.testimony.Testimony`.

    `asked`, `heard`: the question and the answer as texts for support, masked. `tick`,
    `asked_tick`: when it was heard, and when the question was on its way, on this machine's steady
    clock. `user_id`: whose word it is.
    """

    witness: Witness
    about: About = About.NOTHING
    outcome: Outcome | None = None
    fact: Fact | None = None
    reason: str = ''
    detail: str = ''
    patience: float = 0.0
    claim: int = 0
    seals: bool = False
    asked: str = ''
    heard: str = ''
    user_id: int | None = None
    tick: float = field(default_factory=clock.tick)
    asked_tick: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One step for one row of the ledger.

    `patience`: of what moves money, seconds after which nobody can be busy with it. `seals`: the
    terminal is known to encrypt. `claimed`: when, on the steady clock. `row`: the row's own values,
    to write it anew should the database lose it.
    """

    transaction_id: int
    about: About
    claim: int
    patience: float = 0.0
    request: AtTerminal | AtGateway
    seals: bool = False
    claimed: float = field(default_factory=clock.tick)
    row: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def check(self) -> None:
        """What must hold before the first byte leaves. Raises NotSent.

        Whoever has slept since the claim may not be the one who has it any more.
        """
        if clock.tick() - self.claimed > VALID:
            raise NotSent('The claim on this step is too old.', 'stale')


def carry(errand: Errand, permit: Hook = lambda: None) -> Word:
    """Carry an errand, and say what came of it.

    :param permit: called before each request to the gateway; may wait
    """
    try:
        outcome = errand.request.carry(errand.check, permit)
    except NotSent as error:
        reason = 'unreachable' if error.reason == 'network' else error.reason
        return _unsaid(errand, Fact.NEVER_LEFT, reason, error.message)
    except RateLimited as error:
        return _unsaid(errand, Fact.NEVER_LEFT, 'rate_limited', error.message)
    except InvalidRequest as error:
        return _unsaid(errand, Fact.NEVER_LEFT, 'invalid', error.message)
    except NoSuchCall as error:
        fact = Fact.WRONG_WAY if errand.about is About.CANCEL else Fact.ANSWER_LOST
        return _unsaid(errand, fact, error.reason, error.message)
    except AnswerLost as error:
        return _unsaid(errand, Fact.ANSWER_LOST, error.reason, error.message, error.heard)
    except Exception:
        # a fault of our own after bytes may have left says nothing about the money
        _logger.exception('QFPay: an errand failed in an unforeseen way')
        return _unsaid(errand, Fact.ANSWER_LOST, 'fault', '')
    return Word(
        witness=Witness.ANSWER if errand.about in _ANSWERED else Witness.INQUIRY,
        about=errand.about,
        outcome=outcome,
        claim=errand.claim,
        seals=errand.seals,
        asked=errand.request.asked,
        heard=masked(outcome.heard),
        asked_tick=errand.claimed,
    )


def _unsaid(errand: Errand, fact: Fact, reason: str, detail: str, heard: str = '') -> Word:
    """QFPay said nothing. Whether the request left matters where it moves money, and only there."""
    if errand.about is not About.REQUEST and fact is not Fact.WRONG_WAY:
        fact = Fact.UNANSWERED
    return Word(
        witness=Witness.SERVER,
        about=errand.about,
        fact=fact,
        reason=reason,
        detail=detail,
        claim=errand.claim,
        asked=errand.request.asked,
        heard=masked(heard),
    )
