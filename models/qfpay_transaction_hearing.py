"""How the ledger learns: what is said is kept, and the row is judged anew.

`_hear` is the only way in, for QFPay's words and everybody else's. One transaction holds the word
and what follows from it; it is written through to the disk, whatever the server's default is,
because money moves on the strength of it.
"""

import logging
from dataclasses import replace
from datetime import timedelta, timezone

from odoo import api, models
from odoo.tools import SQL

from ..courier import Word, clock
from ..ledger.belief import FACTS
from ..ledger.rules import judge
from ..ledger.states import AT_QFPAY, DONE, OPEN, SENT
from ..ledger.steps import Do, next_step
from ..ledger.testimony import About, Fact, Testimony, Witness
from ..qfpay.outcome import Verdict
from .qfpay_testimony import COLUMNS, from_row
from .reading import lock

_logger = logging.getLogger(__name__)

# Columns that change without anything new for a till or a manager.
_QUIET = {
    'answered_at',
    'asked',
    'asked_at',
    'claim',
    'deadline',
    'left_before_minor',
    'next_step',
    'next_step_at',
    'sent_at',
    'urgent',
}
# After so long it is not the one who learned it any more who tells it.
_TELL_GRACE = timedelta(seconds=3)


class QFPayTransactionHearing(models.Model):
    _inherit = 'qfpay.transaction'

    def _lock(self, number=None):
        """Wait for the row, and read it anew: whoever holds it may change it.

        :param str number: one of QFPay's, see `reading.Read.taken`
        :return: reading.Read; None when the row is gone
        """
        self.ensure_one()
        self.env.flush_all()
        read = lock(self.env.cr, self.id, number)
        self.invalidate_recordset(flush=False)
        return read

    def _hear(self, *words, read=None):
        """Keep what was said, and judge anew.

        :param courier.Word words: in the order in which they were heard
        :param reading.Read read: when the row is locked already, for the number of the last word
        :return: whether there is news for the till or a manager
        """
        read = read or self._lock(_number(words[-1]))
        said = []
        for word in words:
            testimony = self._testimony(word, read)
            last = read.testimonies[-1] if read.testimonies else None
            if last is not None and testimony.repeats(last):
                self.env['qfpay.testimony']._count(self.ids, testimony.at.at, testimony.at.tick)
                again = replace(last, again=testimony.at, times=last.times + 1)
                read.testimonies[-1] = again
                continue
            read.testimonies.append(testimony)
            said.append(
                self.env['qfpay.testimony']._insertion(
                    self.id,
                    testimony,
                    carrier=clock.me(),
                    asked=word.asked,
                    heard=word.heard,
                    user_id=word.user_id,
                )
            )
        return self._believe(read, said)

    def _testimony(self, word, read):
        """A word, with what this server knows beside it now, and may not know otherwise later."""
        tells_what_is_left = word.about is About.ORIGINAL and word.outcome is not None
        return Testimony(
            at=read.moment(word.tick),
            asked_at=None if word.asked_tick is None else read.moment(word.asked_tick),
            witness=word.witness,
            about=word.about,
            outcome=word.outcome,
            fact=word.fact,
            reason=word.reason,
            detail=word.detail,
            patience=word.patience,
            claim=word.claim,
            seals=word.seals,
            taken=read.taken and _number(word) is not None,
            superseded=tells_what_is_left and self._is_superseded(),
            returned_minor=self._returned_by_others() if tells_what_is_left else 0,
        )

    def _is_superseded(self):
        """Whether another refund of the same payment may have moved what is left of it since."""
        others = self.original_id.refund_ids - self
        return any(
            (
                other.state in (*AT_QFPAY, DONE)
                and (other.sent_at or other.requested_at) >= self.requested_at
            )
            or (
                other.state == DONE and (other.decided_at or self.requested_at) >= self.requested_at
            )
            for other in others
        )

    def _returned_by_others(self):
        """What other refunds have given back of the payment of this one, in minor units."""
        others = self.original_id.refund_ids - self
        return sum(others.filtered(lambda row: row.state == DONE).mapped('amount_minor'))

    # ------------------------------------------------------------------
    # Judging
    # ------------------------------------------------------------------

    def _attempt(self, read):
        """What was asked for, as the rules read it, with what stands around it in the ledger.

        :return: ledger.testimony.Attempt
        """
        returned = 0
        if any(word.outcome and word.outcome.cancel for word in read.testimonies):
            refunds = self.refund_ids.filtered(lambda row: row.state in (*OPEN, DONE))
            returned = sum(refunds.mapped('amount_minor'))
        return read.attempt(returned)

    def _judge_again(self):
        """A refund of it has ended: one that failed explains nothing any more.

        What QFPay has said of money that went back is held against our own refunds.
        """
        if self and self._believe(self._lock(), ()):
            self._tell_soon()

    def _believe(self, read, said):
        """Judge, and write down what was said, what is believed, and what is to be done next.

        :param said: the statements that keep what was said; all goes in one message
        :return: whether there is news for the till or a manager
        """
        attempt, was = self._attempt(read), read.columns
        belief = judge(attempt, read.testimonies)
        step = next_step(attempt, belief, read.now, urgent=was['urgent'] and belief.is_open)
        values = {
            **self._columns(belief),
            **self._step_columns(step, read.now.at),
            'urgent': False,
        }
        changed = {name: value for name, value in values.items() if was[name] != value}
        has_news = bool(changed.keys() - _QUIET) and belief.state != SENT
        if has_news:
            changed['tell_at'] = read.now.at + _TELL_GRACE
        self._write_raw(changed, read, said)
        if changed.get('alarms'):
            whats = ', '.join(alarm.what for alarm in belief.alarms)
            _logger.warning('QFPay: transaction %s needs attention: %s', was['reference'], whats)
        return has_news

    def _columns(self, belief):
        """What is believed, as columns."""
        has_ended = not belief.is_open
        sent = belief.sent
        facts = {name: belief.facts.get(name) or None for name in FACTS}
        values = {
            **facts,
            'state': belief.state,
            'state_source': belief.source.value if belief.source else None,
            'by_manager': belief.by_manager,
            'claim': belief.claim,
            'sent_at': sent.at if sent else None,
            'deadline': sent.at + timedelta(seconds=belief.patience) if sent else None,
            'answered_at': belief.ended.at if belief.ended else None,
            'decided_at': belief.since.at if has_ended and belief.since else None,
            'cancel_requested_at': belief.cancel_wanted.at if belief.cancel_wanted else None,
            'cancel_refused': belief.cancel_refused,
            'respcd': belief.code or None,
            'message': belief.message or None,
            'reason': belief.reason or None,
            'qrcode': belief.code_to_scan or None,
            'left_before_minor': -1 if belief.left_before is None else belief.left_before,
            'asked': belief.asked,
            'asked_at': belief.asked_at.at if belief.asked_at else None,
            'alarms': [list(alarm) for alarm in belief.alarms] or None,
            'needs_attention': bool(belief.alarms),
        }
        if belief.state != 'draft':
            # the customer's code is kept only until it is sent, or never will be
            values['auth_code'] = None
        return values

    @api.model
    def _step_columns(self, step, now):
        """When there is something to do, and what; nothing at rest."""
        if step.do is Do.REST:
            return {'next_step': None, 'next_step_at': None}
        name = step.about.value if step.do is Do.ASK else step.do.value
        return {'next_step': name, 'next_step_at': now + timedelta(seconds=step.after)}

    def _write_raw(self, values, read=None, before=()):
        """Write columns as they are: to the microsecond, and without a trace in the log.

        :param reading.Read read: to be kept in line
        :param before: statements that are sent along, and carried out first
        """
        statements = list(before)
        if values:
            changes = [
                SQL('%s = %s', SQL.identifier(name), self._as_column(name, value))
                for name, value in values.items()
            ]
            statements.append(
                SQL(
                    'UPDATE qfpay_transaction SET %s WHERE id IN %s',
                    SQL(', ').join(changes),
                    self._ids,
                )
            )
        if not statements:
            return
        self.env.cr.execute(SQL('; ').join(statements), log_exceptions=False)
        if read:
            read.columns.update(values)
        self.invalidate_recordset(flush=False)

    def _as_column(self, name, value):
        field = self._fields[name]
        return field.convert_to_column(value, self) if field.type == 'json' else value

    # ------------------------------------------------------------------
    # What the courier reports
    # ------------------------------------------------------------------

    @api.model
    def _take_report(self, errand, word):
        """Take in what came of an errand.

        :param courier.Errand errand:
        :param courier.Word word:
        :return: seconds until the next step is due, None at rest; and whether there is news
        """
        row = self.browse(errand.transaction_id)
        read = row._lock(_number(word))
        if read is None:
            row = self._write_anew(errand)
            read = row._lock(_number(word))
        row._learn_sealing(word, read)
        has_news = row._hear(word, read=read)
        at = read.columns['next_step_at']
        return (at - read.now.at).total_seconds() if at else None, has_news

    def _take_word(self, word):
        """Take in one word; see `_hear`."""
        return self._hear(word)

    def _learn_sealing(self, word, read):
        """A terminal was seen to encrypt: from then on its words in the clear prove nothing."""
        is_sealed = word.outcome is not None and word.outcome.signed
        if is_sealed and not read.seals and self.terminal_id:
            self.terminal_id.sealed = True

    @api.model
    def _write_anew(self, errand):
        """The database has lost a row about which QFPay was asked: money may have moved on it."""
        _logger.error('QFPay: transaction %s was lost, and is written anew', errand.transaction_id)
        values = dict(errand.row)
        row = self.search([('reference', '=', values['reference'])])
        if not row:
            payments = self.env['pos.payment'].search([('uuid', '=', values['payment_uuid'])])
            values['pos_payment_id'] = payments.id
            row = self.create(values)
        row._hear(
            Word(
                witness=Witness.SERVER,
                about=About.REQUEST,
                fact=Fact.SENT,
                claim=errand.claim,
                patience=errand.patience,
            ),
            Word(witness=Witness.SERVER, fact=Fact.REWRITTEN),
        )
        return row

    @api.model
    def _note_repeated(self, words):
        """Count what each row heard last and hears again, all rows at once.

        :param dict words: by id, what was just said of it
        :return: the ids of the rows that heard something else
        """
        if not words:
            return []
        self.env.cr.execute(
            f"""
            SELECT DISTINCT ON (transaction_id) transaction_id, {', '.join(COLUMNS)}
              FROM qfpay_testimony WHERE transaction_id IN %s
          ORDER BY transaction_id, id DESC
            """,  # noqa: S608 (our own names)
            [tuple(words)],
        )
        now = self.env['qfpay.link']._clock()
        same = []
        for row_id, *line in self.env.cr.fetchall():
            word, last = words[row_id], from_row(line)
            said = replace(
                last,
                witness=word.witness,
                about=word.about,
                outcome=word.outcome,
                fact=word.fact,
                reason=word.reason,
                detail=word.detail,
                seals=word.seals,
                taken=False,
            )
            if said.repeats(last):
                same.append(row_id)
        if same:
            tick = min(words[row_id].tick for row_id in same)
            self.env['qfpay.testimony']._count(same, now, tick)
            self._ask_next_round(same, now)
        return [row_id for row_id in words if row_id not in same]

    @api.model
    def _hear_notification(self, account, report, heard):
        """Take in a notification that was verified.

        :param account: the `qfpay.account` whose key signed it
        :param qfpay.openapi.notification.Notification report: what QFPay says
        :param str heard: its text, masked
        :return: the row with news for tills or managers; an empty record set without
        """
        outcome = report.outcome
        row = self.search(
            [
                ('reference', '=', outcome.reference),
                ('company_id', '=', account.company_id.id),
                ('account_id', 'in', (account.id, False)),
            ]
        )
        if not row or outcome.trade_type != row.kind:
            # A refund from QFPay's portal, a sale of another system on the same account.
            _logger.info('QFPay: notified of %s, which is not ours', report.notify_type)
            return self.browse()
        word = Word(witness=Witness.NOTIFICATION, outcome=outcome, heard=heard)
        return row if row._hear(word) else self.browse()

    def _requested(self):
        """The time of the request, as a moment with a time zone."""
        self.ensure_one()
        return self.requested_at.replace(tzinfo=timezone.utc)


def _number(word):
    """QFPay's number of what it says is done: it must not belong to another row."""
    outcome = word.outcome
    is_done = outcome is not None and outcome.verdict is Verdict.DONE
    return outcome.syssn if is_done else None
