"""What the ledger knows, on Odoo's own payment.

The browser synchronises its idea of every payment line. For a line of a QFPay method the ledger
outweighs it: what the browser sends about QFPay's facts is dropped, and a line that it calls done
without the ledger's word is recorded as unconfirmed.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..qfpay.errors import InvalidRequest
from ..qfpay.money import to_minor
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
            ('open', 'Under way'),
            ('confirmed', 'Confirmed by QFPay'),
            ('unconfirmed', 'Not confirmed by QFPay'),
        ],
        string='QFPay Confirmation',
        compute='_compute_qfpay_confirmation',
        store=True,
        copy=False,
        help='Not confirmed: a cashier took the payment as done, QFPay never said so.',
    )

    @api.depends(
        'amount',
        'payment_status',
        'payment_method_id',
        'qfpay_transaction_ids.state',
        'qfpay_transaction_ids.amount_minor',
    )
    def _compute_qfpay_confirmation(self):
        for payment in self:
            payment.qfpay_confirmation = payment._qfpay_confirmation()

    def _qfpay_confirmation(self):
        if not self.payment_method_id._qfpay_provider():
            return False
        rows = self.qfpay_transaction_ids
        if any(row.state == 'done' and self._qfpay_agrees(row) for row in rows):
            return 'confirmed'
        if self.payment_status == 'done':
            return 'unconfirmed'
        return 'open' if any(row.state in OPEN_STATES for row in rows) else False

    def _qfpay_agrees(self, row):
        """Whether a row of the ledger is about the amount of this line."""
        try:
            amount_minor = to_minor(self.amount, self.currency_id.decimal_places)
        except InvalidRequest:
            return False
        return amount_minor == (-1 if row.kind == 'refund' else 1) * row.amount_minor

    @api.model_create_multi
    def create(self, vals_list):
        methods = self.env['pos.payment.method']
        return super().create(
            [
                _without(vals, FACTS)
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
            kept = _without(kept, ('payment_status',))
        return kept

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


def _without(vals, names):
    return {name: value for name, value in vals.items() if name not in names}
