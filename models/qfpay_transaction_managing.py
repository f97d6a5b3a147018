"""What a manager sees of the ledger, and decides."""

import json

from odoo import api, models
from odoo.exceptions import AccessError, UserError

from ..courier import Word
from ..ledger.states import AT_QFPAY, OPEN
from ..ledger.testimony import Fact, Witness
from .notice import notice


class QFPayTransactionManaging(models.Model):
    _inherit = 'qfpay.transaction'

    def action_inquire(self):
        """Ask QFPay now."""
        self.check_access('read')
        self.sudo()._ask_now()
        return notice('info', self.env._('QFPay is being asked. Look again in a moment.'))

    def action_set_done(self):
        """A manager saw in QFPay's portal that the money moved."""
        self._decide(Fact.DONE)

    def action_set_failed(self):
        """A manager saw in QFPay's portal that no money moved."""
        self._decide(Fact.FAILED)

    def _decide(self, fact):
        self._check_manager()
        for row in self.sudo():
            read = row._lock()
            if row.state not in AT_QFPAY:
                raise UserError(
                    self.env._(
                        'Transaction %(reference)s is decided already.', reference=row.reference
                    )
                )
            row._hear(Word(witness=Witness.MANAGER, fact=fact, user_id=self.env.uid), read=read)
            row._tell()

    def action_clear_attention(self):
        self._check_manager()
        for row in self.sudo():
            row._hear(Word(witness=Witness.MANAGER, fact=Fact.LOOKED_AT, user_id=self.env.uid))
            row._write_raw({'tell_at': None})

    def action_download_conversation(self):
        """Everything that was said, as a file for support. Nothing in it is secret."""
        self._check_manager()
        self.ensure_one()
        return {
            'type': 'ir.actions.act_url',
            'url': f'/pos_payment_qfpay/conversation/{self.id}',
            'target': 'download',
        }

    def _conversation(self):
        """The row and what was said about it, as JSON for support."""
        self._check_manager()
        words = self.sudo().testimony_ids.read(
            [
                'at', 'again_at', 'times', 'carrier', 'witness', 'about', 'fact', 'reason',
                'detail', 'claim', 'seals', 'taken', 'outcome', 'asked', 'heard', 'user_id',
            ]
        )  # fmt: skip
        row = {
            name: self[name]
            for name in (
                'reference', 'kind', 'provider', 'channel', 'amount_minor', 'state',
                'state_source', 'syssn', 'respcd', 'message', 'reason', 'requested_at', 'sent_at',
                'deadline', 'answered_at', 'decided_at', 'attention',
            )
        }  # fmt: skip
        return json.dumps({'transaction': row, 'heard': words}, default=str, indent=2)

    @api.model
    def _check_may_be_uninstalled(self):
        """With the ledger goes all that is known of what is under way at QFPay."""
        open_row = self.search([('state', 'in', OPEN)], limit=1)
        if open_row:
            raise UserError(
                self.env._(
                    'A QFPay payment is under way (%(reference)s), and without this app nobody '
                    'would learn what becomes of it. Wait for its end, or decide it under QFPay '
                    'Transactions; then uninstall.',
                    reference=open_row.reference,
                )
            )

    def _check_manager(self):
        self.check_access('read')
        if not self.env.user.has_group('point_of_sale.group_pos_manager'):
            raise AccessError(self.env._('Only a Point of Sale manager can decide this.'))
