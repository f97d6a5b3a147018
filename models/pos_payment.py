"""What the ledger knows, on Odoo's own payment.

The browser synchronises its idea of every payment line. For a line of a QFPay method the ledger
outweighs it: what the browser sends about QFPay's facts is dropped, and a line that it calls done
without the ledger's word is recorded as unconfirmed.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError

from .qfpay_transaction import OPEN_STATES

# Written by the ledger only.
FACTS = (
    'transaction_id',
    'payment_ref_no',
    'card_brand',
    'card_no',
    'card_type',
    'qfpay_confirmation',
    'qfpay_transaction_ids',
)
# Fixed while an attempt is open or done.
IDENTITY = ('amount', 'payment_method_id', 'uuid')


class PosPayment(models.Model):
    _inherit = 'pos.payment'

    qfpay_transaction_ids = fields.One2many(
        comodel_name='qfpay.transaction',
        inverse_name='pos_payment_id',
        string='QFPay Transactions',
        readonly=True,
    )
    qfpay_confirmation = fields.Selection(
        selection=[
            ('confirmed', 'Confirmed by QFPay'),
            ('unconfirmed', 'Not confirmed by QFPay'),
        ],
        string='QFPay Confirmation',
        readonly=True,
        copy=False,
        help='Not confirmed: a cashier took the payment as done, QFPay never said so.',
    )

    @api.model_create_multi
    def create(self, vals_list):
        methods = self.env['pos.payment.method']
        return super().create(
            [
                _with_doubt(_without(vals, FACTS))
                if methods.browse(vals.get('payment_method_id'))._qfpay_provider()
                else vals
                for vals in vals_list
            ]
        )

    def write(self, vals):
        ours = self.filtered(lambda payment: payment.payment_method_id._qfpay_provider())
        result = super(PosPayment, self - ours).write(vals)
        for payment in ours:
            super(PosPayment, payment).write(payment._qfpay_keep(vals))
        return result

    def _qfpay_keep(self, vals):
        """`vals` without what the ledger decides."""
        self.ensure_one()
        kept = _without(vals, FACTS)
        states = set(self.sudo().qfpay_transaction_ids.mapped('state'))
        if states & {'done', *OPEN_STATES}:
            kept = _without(kept, IDENTITY)
        if 'done' in states:
            return _without(kept, ('payment_status',))
        return _with_doubt(kept)

    def _qfpay_take_over(self, row):
        """Write the ledger's word on the payment; past `write`, which guards these fields.

        :param row: the `qfpay.transaction` whose state has just changed
        """
        if not self:
            return
        if row.state == 'done':
            values = {
                'payment_status': 'done',
                'transaction_id': row.syssn,
                'payment_ref_no': row.chnlsn,
                'card_brand': row.card_scheme,
                'card_no': row.card_last4,
                'card_type': row.card_type or row.wallet,
                'qfpay_confirmation': 'confirmed',
            }
        elif row.state in ('failed', 'cancelled') and self.payment_status != 'done':
            values = {'payment_status': 'retry'}
        else:
            return
        super().write(values)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_at_qfpay(self):
        for row in self.sudo().qfpay_transaction_ids:
            if row.state in OPEN_STATES:
                raise UserError(
                    self.env._(
                        'This payment is under way at QFPay. Call it off or wait for the result '
                        'before you remove it.'
                    )
                )
            if row.state == 'done':
                raise UserError(
                    self.env._(
                        'QFPay has taken this payment. Validate the order, then refund it.'
                    )
                )


def _with_doubt(vals):
    """What the browser alone calls done, the manager sees as unconfirmed."""
    if 'payment_status' not in vals:
        return vals
    is_claimed = vals['payment_status'] == 'done'
    return dict(vals, qfpay_confirmation='unconfirmed' if is_claimed else False)


def _without(vals, names):
    return {name: value for name, value in vals.items() if name not in names}
