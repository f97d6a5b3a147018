from odoo import api, models
from odoo.exceptions import UserError

from .qfpay_states import OPEN_STATES


class PosOrder(models.Model):
    _inherit = 'pos.order'

    def write(self, vals):
        if vals.get('state') == 'cancel':
            self._check_no_money_at_qfpay()
        result = super().write(vals)
        if vals.get('state') in ('paid', 'done', 'invoiced'):
            self.payment_ids._qfpay_doubt()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_at_qfpay(self):
        # The database deletes the payments of an order by itself, past their own guard.
        self._check_no_money_at_qfpay()

    def _check_no_money_at_qfpay(self):
        """An order whose money is at QFPay must not vanish."""
        for row in self.sudo().payment_ids.qfpay_transaction_ids:
            if row.state in (*OPEN_STATES, 'done'):
                raise UserError(
                    self.env._(
                        'Order %(order)s has a QFPay payment that is under way or done. Call it '
                        'off, or validate the order and refund it; then it can be cancelled.',
                        order=row.pos_order_id.pos_reference or row.pos_order_id.name,
                    )
                )
