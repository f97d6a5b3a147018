"""What the ledger knows, on Odoo's own payment.

The browser synchronises its idea of every payment line. For a line of a QFPay method the ledger
outweighs it: what the browser sends about QFPay's facts is dropped, and a line that counts as paid
without the ledger's word for its amount is recorded as unconfirmed.
"""

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.models import LOG_ACCESS_COLUMNS
from odoo.tools import float_compare

from ..ledger.states import DONE, OPEN, REVERSED

# Written by the ledger only, on payments of whatever method.
OURS = ('qfpay_confirmation', 'qfpay_transaction_ids')
# Written by the ledger only, on payments of a QFPay method.
FACTS = ('transaction_id', 'payment_ref_no', 'card_brand', 'card_no', 'card_type')
# QFPay, or a manager, said that the money moved.
SETTLED = ('confirmed', 'manager')
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
            ('manager', 'Confirmed by a manager'),
            ('unconfirmed', 'Not confirmed by QFPay'),
        ],
        string='QFPay Confirmation',
        readonly=True,
        copy=False,
        help='Not confirmed: the payment counts as done here, QFPay never said so.',
    )

    @api.model_create_multi
    def create(self, vals_list):
        payments = super().create([self._qfpay_values_to_create(vals) for vals in vals_list])
        payments._qfpay_judge_doubt()
        return payments

    @api.model
    def _qfpay_values_to_create(self, vals):
        """`vals` without what the ledger decides, and no default in its place."""
        method_id = vals.get('payment_method_id') or self.env.context.get(
            'default_payment_method_id'
        )
        kept = dict(_without(vals, OURS), qfpay_confirmation=False)
        if not self._qfpay_serves(method_id):
            return kept
        return dict(kept, **dict.fromkeys(FACTS, False))

    def write(self, vals):
        vals = _without(vals, OURS)
        doubtful = self._qfpay_doubtful()
        if 'payment_method_id' in vals:
            ours = self
        else:
            ours = self.filtered(lambda payment: payment.payment_method_id._qfpay_provider())
        result = super(PosPayment, self - ours).write(vals)
        for payment in ours:
            if changes := payment._qfpay_changes(payment._qfpay_values_to_write(vals)):
                super(PosPayment, payment).write(changes)
        self._qfpay_judge_doubt()
        for payment, before in doubtful:
            payment._qfpay_trace_change(*before)
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
        states = self._qfpay_states()
        if states & {DONE, *OPEN}:
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
        return _without(kept, ('payment_status',)) if DONE in states else kept

    def _qfpay_states(self):
        """The states of all attempts to pay this line; nothing else of them is read."""
        rows = self.env['qfpay.transaction'].sudo()
        return set(
            rows.search_fetch([('pos_payment_id', 'in', self.ids)], ['state']).mapped('state')
        )

    @api.model
    def _qfpay_serves(self, method_id):
        method = self.env['pos.payment.method'].browse(method_id)
        return bool(method and method._qfpay_provider())

    def _qfpay_judge_doubt(self):
        """Mark what counts as paid and was never confirmed.

        On the records, whichever way they came to be as they are: a line can be moved to another
        order, or an order be paid around it.
        """
        for payment in self:
            is_settled = payment.qfpay_confirmation in SETTLED
            if is_settled or not payment.payment_method_id._qfpay_provider():
                continue
            doubt = 'unconfirmed' if payment._qfpay_counts_as_paid() else False
            if payment.qfpay_confirmation != doubt:
                payment._qfpay_write({'qfpay_confirmation': doubt})

    def _qfpay_counts_as_paid(self):
        """By its own word or its order's, without the ledger's."""
        if self.currency_id.is_zero(self.amount):
            return False
        is_open_order = self.pos_order_id.state in (False, 'draft', 'cancel')
        return self.payment_status not in WAITING or not is_open_order

    def _qfpay_doubtful(self):
        """The unconfirmed ones, with what a change of them may hide: order, method and amount."""
        return [
            (payment, (payment.pos_order_id, payment.payment_method_id, payment.amount))
            for payment in self
            if payment.qfpay_confirmation == 'unconfirmed'
        ]

    def _qfpay_trace_change(self, order, method, amount):
        """What was unconfirmed on a paid order and does not show there any more leaves a trace."""
        if self.qfpay_confirmation == 'unconfirmed' and self.pos_order_id == order:
            return
        if self.payment_method_id == method:
            self._qfpay_trace_removal(order, method, amount)
            return
        self._qfpay_leave_trace(
            order,
            self.env._(
                '%(amount)s, recorded as paid with %(method)s and never confirmed by QFPay, is '
                'now booked as %(other)s.',
                amount=self.currency_id.format(amount),
                method=method.name,
                other=self.payment_method_id.name,
            ),
        )

    def _qfpay_trace_removal(self, order, method, amount):
        self._qfpay_leave_trace(
            order,
            self.env._(
                '%(amount)s, recorded as paid with %(method)s and never confirmed by QFPay, was '
                'removed.',
                amount=self.currency_id.format(amount),
                method=method.name,
            ),
        )

    def _qfpay_leave_trace(self, order, sentence):
        """Tell whoever looks at the order what became of a payment of it."""
        if order.state not in (False, 'draft', 'cancel'):
            order.sudo().message_post(body=sentence, author_id=self.env.user.partner_id.id)

    def _qfpay_write(self, vals):
        """Past `write`, which guards these fields."""
        return super().write(vals)  # pylint: disable=super-method-mismatch

    def _qfpay_take_over(self, row):
        """Write the ledger's word on the payment.

        :param row: the `qfpay.transaction` whose state has just changed
        """
        if not self or row.state in OPEN:
            return
        # Only what is needed: the cashier waits for this, and these records are wide.
        self.fetch(
            ['amount', 'payment_status', 'pos_order_id', 'qfpay_confirmation', 'transaction_id']
        )
        is_settled = self.qfpay_confirmation in SETTLED
        if is_settled and self.transaction_id and self.transaction_id != row.syssn:
            # another attempt has paid this line, which keeps that one's facts
            return
        if row.state == 'done':
            # without the currency's own steps, which a customer would wait for: both are rounded
            agrees = float_compare(self.amount, row.amount, precision_digits=4) == 0
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
                'qfpay_confirmation': 'unconfirmed',
            }
            if agrees:
                values['qfpay_confirmation'] = 'manager' if row.by_manager else 'confirmed'
        elif row.state == REVERSED:
            # the money is gone again; an order that is not closed has to be paid anew
            is_draft = self.pos_order_id.state == 'draft'
            values = {'payment_status': 'retry'} if is_draft else {}
            values['qfpay_confirmation'] = False if is_draft else 'unconfirmed'
        elif self.payment_status != 'done':
            values = {'payment_status': 'retry'}
        else:
            return
        self._qfpay_write(values)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_at_qfpay(self):
        for payment in self.sudo():
            states = payment._qfpay_states()
            if states & set(OPEN):
                raise UserError(
                    self.env._(
                        'This payment is under way at QFPay. Cancel it or wait for the result '
                        'before you remove it.'
                    )
                )
            if DONE in states and payment.pos_order_id.state not in (False, 'draft', 'cancel'):
                raise UserError(
                    self.env._(
                        'QFPay has taken this payment, and its order is closed. Refund the order '
                        'instead.'
                    )
                )
        for payment, before in self._qfpay_doubtful():
            payment._qfpay_trace_removal(*before)

    def unlink(self):
        # a till that removed a failed line may not know yet that it was paid after all: the order
        # goes on without it, and a manager is called
        paid = self.sudo().qfpay_transaction_ids.filtered(lambda row: row.state == DONE)
        result = super().unlink()
        paid._lost_line()
        return result


def _without(vals, names):
    return {name: value for name, value in vals.items() if name not in names}
