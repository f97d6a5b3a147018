from odoo import models

from ..ledger.states import AT_QFPAY, NOT_DONE


class PosSession(models.Model):
    _inherit = 'pos.session'

    def get_closing_control_data(self):
        # while somebody counts the cash: what came to nothing may have been paid after all
        self._ask_qfpay_once_more()
        return super().get_closing_control_data()

    def action_pos_session_closing_control(self, *args, **kwargs):
        self._ask_qfpay_once_more()
        return super().action_pos_session_closing_control(*args, **kwargs)

    def _ask_qfpay_once_more(self):
        """Have QFPay asked about all payments of the session that are not known as done."""
        rows = self.env['qfpay.transaction'].sudo()
        doubtful = (*AT_QFPAY, *NOT_DONE)
        rows.search([('session_id', 'in', self.ids), ('state', 'in', doubtful)])._ask_now()
