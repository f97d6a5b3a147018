from odoo import api, models
from odoo.exceptions import UserError

from ..ledger.states import DONE, OPEN
from ..qfpay.money import nearest_minor


class PosOrder(models.Model):
    _inherit = 'pos.order'

    @api.model_create_multi
    def create(self, vals_list):
        orders = super().create(vals_list)
        orders._qfpay_judge_doubt()
        return orders

    def write(self, vals):
        if vals.get('state') == 'cancel':
            self._check_no_money_at_qfpay()
        result = super().write(vals)
        if 'state' in vals or 'payment_ids' in vals:
            self._qfpay_judge_doubt()
        return result

    def _qfpay_judge_doubt(self):
        """A paid order counts its payments as paid: mark those that QFPay never confirmed."""
        paid = self.filtered(lambda order: order.state not in ('draft', 'cancel'))
        paid.payment_ids._qfpay_judge_doubt()

    def _qfpay_due_minor(self, exponent):
        """The order's total as Odoo wants it paid, in minor units of QFPay's.

        :param int exponent: of QFPay for the currency
        """
        self.ensure_one()
        total = self.amount_total
        if total < 0:
            refunded = self.refunded_order_id
            if refunded and self.currency_id.is_zero(refunded.amount_total + total):
                total = -refunded.amount_paid
        return nearest_minor(self._get_rounded_amount(total), exponent)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_at_qfpay(self):
        # The database deletes the payments of an order by itself, past their own guard.
        self._check_no_money_at_qfpay()

    def _check_no_money_at_qfpay(self):
        """An order whose money is at QFPay must not vanish."""
        for row in self.sudo().payment_ids.qfpay_transaction_ids:
            if row.state in (*OPEN, DONE):
                raise UserError(
                    self.env._(
                        'Order %(order)s has a QFPay payment that is under way or done. '
                        'Cancel it, or validate the order and refund it; then the order can be '
                        'cancelled.',
                        order=row.pos_order_id.pos_reference or row.pos_order_id.name,
                    )
                )
