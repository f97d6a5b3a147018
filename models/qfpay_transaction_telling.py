"""Payment line, tills and managers follow what the ledger believes.

A step of its own, after the ledger's, repeated until it succeeds: another module's error in a write
to `pos.payment` keeps nothing from the ledger.
"""

from datetime import timedelta

from odoo import models

from ..courier import Word
from ..ledger.limits import ENGAGED, may_be_charged
from ..ledger.line import Line, strange
from ..ledger.states import DONE, OPEN
from ..ledger.testimony import Fact, Witness

# After an error it is tried again so much later.
RETRY = timedelta(seconds=15)


class QFPayTransactionTelling(models.Model):
    _inherit = 'qfpay.transaction'

    def _tell(self):
        """Bring payment line and tills in line. May be called as often as one likes."""
        self.ensure_one()
        if not self.tell_at:
            return
        state = self.state
        self.pos_payment_id._qfpay_take_over(self)
        # a card's digits that come later change nothing for the order
        if self.told_state != state:
            siblings = self.browse()
            if state == DONE:
                siblings = self._siblings()
                self._cancel_what_is_needless(siblings)
            self._note_what_is_strange(siblings.filtered(lambda row: row.state == DONE))
            if state not in OPEN:
                self.original_id._judge_again()
        self._tell_tills()
        self._write_raw({'tell_at': None, 'told_state': state})

    def _lost_line(self):
        """Their payment lines were just removed, and their money had moved."""
        for row in self:
            row._note_what_is_strange(self.browse())
            row._tell_tills()

    def _tell_later(self):
        """It did not work: somebody else's code refused, or the line is being written."""
        self._write_raw({'tell_at': self.env['qfpay.link']._clock() + RETRY})

    def _tell_tills(self):
        """Customer displays hear this channel too: no amount, no name, no number."""
        till = self.config_id.with_company(self.company_id)
        till.fetch(['access_token'])
        till._notify(
            'QFPAY_PAYMENT',
            {
                'reference': self.reference,
                'payment_uuid': self.payment_uuid,
                'state': self.state,
            },
        )

    # ------------------------------------------------------------------
    # What does not fit together
    # ------------------------------------------------------------------

    def _siblings(self):
        """The other attempts of the same order whose money moved, or may yet."""
        rows = self.search_fetch(
            [('order_uuid', '=', self.order_uuid), ('state', 'in', ENGAGED)],
            ['amount_minor', 'kind', 'payment_uuid', 'reference', 'state'],
        )
        return rows - self

    def _note_what_is_strange(self, paid_siblings):
        """Where line and order do not fit what QFPay did, a manager is called: once for each.

        :param paid_siblings: the other attempts of the order that are done
        """
        if self.state in OPEN:
            return
        found = strange(self.kind, self.state, self._line(paid_siblings))
        if not found:
            return
        read = self._lock()
        noted = {word.reason for word in read.testimonies if word.fact is Fact.STRANGE}
        words = [
            Word(witness=Witness.SERVER, fact=Fact.STRANGE, reason=alarm.what, detail=alarm.heard)
            for alarm in found
            if alarm.what not in noted
        ]
        if words:
            self._hear(*words, read=read)

    def _line(self, paid_siblings):
        """What stands on Odoo's side of this row.

        :return: ledger.line.Line
        """
        payment = self.pos_payment_id
        order = payment.pos_order_id
        order.fetch(['state'])
        return Line(
            exists=bool(payment),
            is_cancelled=order.state == 'cancel',
            agrees=payment.qfpay_confirmation in ('confirmed', 'manager'),
            is_recorded=payment.qfpay_confirmation == 'unconfirmed',
            paid_twice=self._paid_twice_by(paid_siblings).reference or '',
        )

    def _paid_twice_by(self, paid_siblings):
        """What moved the same money, or with this one more than the order is worth."""
        same_line = paid_siblings.filtered(lambda row: row.payment_uuid == self.payment_uuid)
        if same_line or not paid_siblings:
            return same_line[:1]
        return paid_siblings[:1] if not self._has_room(self, paid_siblings) else self.browse()

    def _has_room(self, row, others):
        """Whether what is due on the order of this row is enough for a row beside others."""
        order = self.pos_payment_id.pos_order_id
        if not order:
            return True
        due = order._qfpay_due_minor(self._exponent())
        amounts = [other._signed_minor() for other in others]
        return may_be_charged(due, amounts, row._signed_minor())

    def _cancel_what_is_needless(self, siblings):
        """Attempts whose money has come by this one: nobody should pay it once more."""
        for row in siblings.filtered(lambda row: row.state in OPEN):
            others = (siblings | self) - row
            if row.payment_uuid == self.payment_uuid or not self._has_room(row, others):
                row._want_cancelled(Witness.SERVER)
