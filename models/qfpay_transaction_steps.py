"""The next step of a row, claimed for the courier and made into an errand."""

import logging
from datetime import timedelta
from functools import partial

from odoo import api, models
from odoo.exceptions import UserError

from .. import courier
from ..courier import Errand, Word
from ..courier.carrying import AtGateway, AtTerminal, Query
from ..courier.runner import Due
from ..ledger.rules import judge
from ..ledger.states import AT_QFPAY, DRAFT, NOT_DONE, SENT
from ..ledger.steps import ROUND, Do, next_step
from ..ledger.testimony import About, Fact, Witness
from ..qfpay.errors import InvalidRequest
from .qfpay_link import FAR

_logger = logging.getLogger(__name__)

# While a question is under way nobody asks the same: it takes less than this, in seconds.
UNDER_WAY = 40
# What is due so soon is due.
SLACK = 0.05


class QFPayTransactionSteps(models.Model):
    _inherit = 'qfpay.transaction'

    def _claim_step(self, who, lane):
        """Take the next step for the calling courier, if it is due and this process has the link.

        :param str who: the process
        :param str lane: 'send' begins what was not sent; 'talk' asks and cancels
        :return: courier.Errand, or None when there is nothing to carry; and whether there is news
        """
        read = self._lock()
        if read is None:
            return None, False
        fence = read.fence
        if read.owner != who or read.link_is_free:
            fence = self.env['qfpay.link'].browse(read.columns['link_id'])._hold(who)
        row = read.columns
        if fence is None or not _is_due(row, read.now.at):
            return None, False
        has_news = False
        if row['state'] == SENT and row['claim'] != fence:
            has_news = self._hear(
                Word(witness=Witness.SERVER, about=About.REQUEST, fact=Fact.TAKEN_OVER), read=read
            )
        attempt = self._attempt(read)
        belief = judge(attempt, read.testimonies)
        step = next_step(attempt, belief, read.now, urgent=row['urgent'])
        if step.do is Do.DROP:
            has_news = self._never_left(read, step.reason)
        elif step.do is Do.GIVE_UP:
            has_news = self._hear(Word(witness=Witness.SERVER, fact=Fact.GIVEN_UP), read=read)
        elif step.do is Do.REST or step.after > SLACK or step.about is About.LIST:
            self._write_raw({**self._step_columns(step, read.now.at), 'urgent': False})
        else:
            errand = self._errand(read, fence, step, attempt, belief)
            return errand, has_news or (errand is None and bool(row['tell_at']))
        return None, has_news

    def _errand(self, read, fence, step, attempt, belief):
        """The step as an errand; from here on it is under way."""
        about = About.CANCEL if step.do is Do.CANCEL else step.about
        if step.do is Do.SEND:
            about = About.REQUEST
        try:
            request = self._request(about, read, attempt, belief)
        except (UserError, InvalidRequest) as error:
            self._cannot_be_carried(read, about, error)
            return None
        if request is None:
            self._hear(Word(witness=Witness.SERVER, about=about, fact=Fact.NO_CONTROL), read=read)
            return None
        patience = 0.0
        if about is About.REQUEST:
            patience = self._patience(read, attempt)
            self._hear(
                Word(
                    witness=Witness.SERVER,
                    about=About.REQUEST,
                    fact=Fact.SENT,
                    claim=fence,
                    patience=patience,
                    asked=request.asked,
                ),
                read=read,
            )
        else:
            at = read.now.at + timedelta(seconds=UNDER_WAY)
            self._write_raw({'next_step_at': at, 'urgent': False}, read)
        return Errand(
            transaction_id=self.id,
            about=about,
            claim=fence,
            patience=patience,
            request=request,
            seals=read.seals,
            row=read.identity,
        )

    def _patience(self, read, attempt):
        """Seconds after which nobody can be busy any more with what is sent now."""
        if attempt.by_terminal:
            return self.env['qfpay.terminal'].browse(read.columns['terminal_id'])._patience(attempt)
        return self.account_id._patience(self, read.now.at)

    def _request(self, about, read, attempt, belief):
        """What is asked of QFPay.

        :return: AtTerminal or AtGateway; None when nothing can be asked
        :raise UserError: terminal or account are not set up
        :raise InvalidRequest: something of it cannot be sent
        """
        if attempt.by_terminal:
            # only the terminal is read: a customer waits for it to wake up
            terminal = self.env['qfpay.terminal'].browse(read.columns['terminal_id'])
            command = terminal._command(attempt, about)
            return command and AtTerminal(
                link=terminal._http(), key=terminal._key(), command=command
            )
        account = self.account_id
        if about is About.NUMBER:
            request = Query(reference=self.reference, since=self._requested())
        elif about is About.CANCEL:
            request = account._cancel_request(self, belief.ways_tried)
        else:
            request = account._payment_request(self)
        return AtGateway(account=account._credentials(), request=request)

    def _cannot_be_carried(self, read, about, error):
        """Settings are missing, or hold what cannot be sent: what has not left will not."""
        _logger.warning('QFPay: transaction %s cannot be carried: %s', self.reference, error)
        if read.columns['state'] == DRAFT:
            self._never_left(read, 'invalid', str(error))
        else:
            word = Word(
                witness=Witness.SERVER, about=about, fact=Fact.UNANSWERED, reason='not_set_up'
            )
            self._hear(word, read=read)

    def _never_left(self, read, reason, detail=''):
        """What was not sent will not be."""
        word = Word(
            witness=Witness.SERVER,
            about=About.REQUEST,
            fact=Fact.NEVER_LEFT,
            reason=reason,
            detail=detail,
        )
        return self._hear(word, read=read)

    @api.model
    def _cron_look(self):
        """Where no till is open that would wake it, the courier looks what is due all the same."""
        self._wake_courier()

    # ------------------------------------------------------------------
    # The mailbox: what others want of whoever has the link
    # ------------------------------------------------------------------

    def _set_out(self):
        """Begin with what has just been written, as soon as it is committed."""
        due = Due('send', self.id, self.link_id.id, bool(self.account_id), self.config_id.id)
        self.env.cr.postcommit.add(partial(courier.poke, self.env.cr.dbname, due))

    @api.model
    def _wake_courier(self):
        """Something is due now: have it seen as soon as this is committed."""
        self.env.cr.postcommit.add(partial(courier.wake, self.env.cr.dbname))

    @api.model
    def _take_part(self):
        """See to it that this process looks what is due."""
        self.env.cr.postcommit.add(partial(courier.take_part, self.env.cr.dbname))

    def _tell_soon(self):
        """Bring payment line and tills in line, as soon as this is committed."""
        self.env.cr.postcommit.add(partial(courier.tell, self.env.cr.dbname, self.id))

    def _ask_now(self):
        """Have QFPay asked now, whichever process has the link."""
        self._wake_courier()
        for row in self:
            if row.state in AT_QFPAY or (row.state in NOT_DONE and row.reason not in _NEVER_LEFT):
                row._write_raw({'urgent': True, 'next_step_at': self.env['qfpay.link']._clock()})

    @api.model
    def _ask_next_round(self, row_ids, now):
        """These rows heard nothing new; they are asked about again in the next round."""
        self.env.cr.execute(
            """
            UPDATE qfpay_transaction
               SET asked = asked + 1, asked_at = %s, next_step_at = %s
             WHERE id IN %s AND next_step = 'list'
            """,
            (now, now + timedelta(seconds=ROUND), tuple(row_ids)),
        )

    def _want_cancelled(self, witness, user_id=None):
        """Somebody wants it cancelled: what has not left is stopped, for the rest QFPay is told."""
        for row in self:
            read = row._lock()
            state = read.columns['state']
            if state == DRAFT:
                row._never_left(read, 'cancelled')
                row._tell_soon()
            elif state in AT_QFPAY and read.columns['kind'] == 'payment':
                row._hear(
                    Word(witness=witness, fact=Fact.CANCEL_WANTED, user_id=user_id), read=read
                )
                row._wake_courier()


def _is_due(row, now):
    """Another thread may just have done it; but a clock that was set back is no reason."""
    at = row['next_step_at']
    if row['state'] == SENT or not at:
        return bool(at)
    ahead = (at - now).total_seconds()
    return ahead <= SLACK or ahead > FAR


# The server's own reasons for an end without which nothing had left.
_NEVER_LEFT = (
    'cancelled',
    'invalid',
    'nothing_known',
    'rate_limited',
    'stale',
    'tls',
    'too_late',
    'unreachable',
)
