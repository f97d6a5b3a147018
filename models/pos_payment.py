"""What the ledger knows, on Odoo's own payment.

The browser synchronises its idea of every payment line. For a line of a QFPay method the ledger
outweighs it: what the browser sends about QFPay's facts is dropped, and a line that counts as paid
without the ledger's word for its amount is recorded as unconfirmed.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.models import LOG_ACCESS_COLUMNS

from .qfpay_states import OPEN_STATES

# Written by the ledger only, on payments of whatever method.
OURS = ('qfpay_confirmation', 'qfpay_transaction_ids')
# Written by the ledger only, on payments of a QFPay method.
FACTS = ('transaction_id', 'payment_ref_no', 'card_brand', 'card_no', 'card_type')
# Fixed while an attempt is open or done.
IDENTITY = ('amount', 'payment_method_id', 'pos_order_id', 'uuid')
# What a line says that waits for its money. The POS takes any other word, and none, for paid.
WAITING = (
    'pending',
    'waiting',
    'waitingCard',
    'waitingCapture',
    'waitingCancel',
    'retry',
    'force_done',
    'reversing',
    'timeout',
)


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
        help='Not confirmed: the payment counts as done here, QFPay never said so.',
    )

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._qfpay_values_to_create(vals) for vals in vals_list])

    @api.model
    def _qfpay_values_to_create(self, vals):
        """`vals` without what the ledger decides, and no default in its place."""
        method_id = vals.get('payment_method_id') or self.env.context.get(
            'default_payment_method_id'
        )
        kept = dict(_without(vals, OURS), qfpay_confirmation=False)
        if not self._qfpay_serves(method_id):
            return kept
        order = self.env['pos.order'].browse(vals.get('pos_order_id'))
        doubt = _doubt(vals.get('payment_status'), order)
        return dict(kept, **dict.fromkeys(FACTS, False), qfpay_confirmation=doubt)

    def write(self, vals):
        vals = _without(vals, OURS)
        if 'payment_method_id' in vals:
            ours = self
        else:
            ours = self.filtered(lambda payment: payment.payment_method_id._qfpay_provider())
        result = super(PosPayment, self - ours).write(vals)
        for payment in ours:
            if changes := payment._qfpay_changes(payment._qfpay_values_to_write(vals)):
                super(PosPayment, payment).write(changes)
        return result

    def _qfpay_changes(self, vals):
        """`vals` without what the payment says already.

        A till sends whole lines, in the moment after the approval too, when the courier fetches the
        card's digits. Of two who write the same record Odoo makes the till wait, seconds perhaps:
        so nothing is written where there is nothing new.
        """
        self.ensure_one()
        return {
            name: value
            for name, value in vals.items()
            if name not in LOG_ACCESS_COLUMNS and not self._qfpay_says(name, value)
        }

    def _qfpay_says(self, name, value):
        field = self._fields[name]
        if field.type in ('one2many', 'many2many'):
            return False  # commands may change what is linked already
        return field.convert_to_cache(value, self) == field.convert_to_cache(self[name], self)

    def _qfpay_values_to_write(self, vals):
        """`vals` without what the ledger decides."""
        self.ensure_one()
        states = set(self.sudo().qfpay_transaction_ids.mapped('state'))
        if states & {'done', *OPEN_STATES}:
            vals = _without(vals, IDENTITY)
        if states:
            # Every attempt is known by it, also one that is late.
            vals = _without(vals, ('uuid',))
        method_id = vals.get('payment_method_id', self.payment_method_id.id)
        if not self._qfpay_serves(method_id):
            return dict(vals, qfpay_confirmation=False)
        kept = _without(vals, FACTS)
        if method_id != self.payment_method_id.id:
            kept.update(dict.fromkeys(FACTS, False))
        if 'done' in states:
            return _without(kept, ('payment_status',))
        doubt = _doubt(kept.get('payment_status', self.payment_status), self.pos_order_id)
        return dict(kept, qfpay_confirmation=doubt)

    @api.model
    def _qfpay_serves(self, method_id):
        method = self.env['pos.payment.method'].browse(method_id)
        return bool(method and method._qfpay_provider())

    def _qfpay_doubt(self):
        """Their order is paid, so they count as paid: mark those that QFPay never confirmed."""
        doubtful = self.filtered(
            lambda payment: (
                payment.qfpay_confirmation != 'confirmed'
                and payment.payment_method_id._qfpay_provider()
                and not payment.currency_id.is_zero(payment.amount)
            )
        )
        doubtful._qfpay_write({'qfpay_confirmation': 'unconfirmed'})

    def _qfpay_write(self, vals):
        """Past `write`, which guards these fields."""
        return super().write(vals)  # pylint: disable=super-method-mismatch

    def _qfpay_take_over(self, row):
        """Write the ledger's word on the payment.

        :param row: the `qfpay.transaction` whose state has just changed
        """
        if not self or row.state not in ('done', 'failed', 'cancelled'):
            return
        # Only what is needed: the cashier waits for this, and these records are wide.
        self.fetch(['amount', 'payment_status', 'pos_order_id', 'qfpay_confirmation'])
        if row.state == 'done':
            agrees = row.currency_id.compare_amounts(self.amount, row.amount) == 0
            is_settled = self.qfpay_confirmation == 'confirmed'
            if not agrees and not is_settled and self.pos_order_id.state == 'draft':
                # Nothing is booked yet: the line is worth what QFPay has moved.
                self._qfpay_write({'amount': row.amount})
                agrees = True
            values = {
                'payment_status': 'done',
                'transaction_id': row.syssn,
                'payment_ref_no': row.chnlsn,
                'card_brand': row.card_scheme,
                'card_no': row.card_last4,
                'card_type': row.card_type or row.wallet,
                'qfpay_confirmation': 'confirmed' if agrees else 'unconfirmed',
            }
        elif self.payment_status != 'done':
            values = {'payment_status': 'retry'}
        else:
            return
        self._qfpay_write(values)

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
                    self.env._('QFPay has taken this payment. Validate the order, then refund it.')
                )


def _doubt(status, order):
    """The confirmation of a line without the ledger's word, by its own word or its order's."""
    is_paid = status not in WAITING or order.state not in (False, 'draft', 'cancel')
    return 'unconfirmed' if is_paid else False


def _without(vals, names):
    return {name: value for name, value in vals.items() if name not in names}
