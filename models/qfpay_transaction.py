"""The ledger: one row per attempt to move money through QFPay.

A row says what was asked for, and what is believed about it. The first never changes. The second is
judged by the rules in `ledger/` from everything that was said (`qfpay.testimony`), and written here
for lists, indexes and tills; nobody else writes it. This file holds the columns; beside it stand

    qfpay_transaction_hearing    what is said is kept and judged
    qfpay_transaction_steps      the next step, as an errand for the courier
    qfpay_transaction_telling    payment line, tills and managers are brought in line
    qfpay_transaction_managing   what a manager sees and decides

While a row is open no second attempt can be made for the same payment line, and no other job can
run on the same terminal: the database's unique indexes hold that, not code.
"""

from odoo import api, fields, models

from ..cashier.messages import alarm_sentence
from ..courier import clock
from ..ledger.belief import CANCEL_PATIENCE
from ..ledger.limits import refundable
from ..ledger.states import DONE, OPEN, REVERSED
from ..qfpay.ecr.message import CHANNELS
from ..qfpay.openapi.catalogue import CURRENCIES, PAY_TYPES

# For the indexes: an attempt that has not ended, and one whose money moved.
_OPEN = f'state IN {OPEN}'
_MOVED = f'state IN {(DONE, REVERSED)}'


class QFPayTransaction(models.Model):
    _name = 'qfpay.transaction'
    _description = 'QFPay Transaction'
    _order = 'id desc'
    _rec_name = 'reference'

    # Identity
    reference = fields.Char(
        required=True, readonly=True, index=True, help='Our number: out_trade_no at QFPay.'
    )
    kind = fields.Selection(
        selection=[('payment', 'Payment'), ('refund', 'Refund')], required=True, readonly=True
    )
    provider = fields.Selection(
        selection=[('ecr', 'Terminal'), ('openapi', 'OpenAPI')], required=True, readonly=True
    )
    channel = fields.Char(
        readonly=True, help='What was asked for: a channel of the terminal, or a pay type.'
    )
    payment_method_id = fields.Many2one(
        'pos.payment.method', required=True, readonly=True, ondelete='restrict'
    )
    terminal_id = fields.Many2one('qfpay.terminal', readonly=True, ondelete='restrict')
    account_id = fields.Many2one(
        'qfpay.account', readonly=True, index='btree_not_null', ondelete='restrict'
    )
    link_id = fields.Many2one('qfpay.link', required=True, readonly=True, ondelete='restrict')
    config_id = fields.Many2one(
        'pos.config', string='Till', required=True, readonly=True, ondelete='restrict'
    )
    session_id = fields.Many2one(
        'pos.session', required=True, readonly=True, index=True, ondelete='restrict'
    )
    company_id = fields.Many2one('res.company', required=True, readonly=True)
    order_uuid = fields.Char(readonly=True, index=True)
    order_attempt = fields.Integer(
        readonly=True,
        aggregator=None,
        help='Counts the attempts to pay an order. Two tills that knew the same ones cannot both '
        'begin the next.',
    )
    payment_uuid = fields.Char(required=True, readonly=True, index=True)
    tap = fields.Char(
        readonly=True, help='The tap at the till that asked for it. Asked again, it is the same.'
    )
    pos_payment_id = fields.Many2one(
        'pos.payment', string='Payment', readonly=True, index='btree_not_null', ondelete='set null'
    )
    pos_order_id = fields.Many2one(related='pos_payment_id.pos_order_id', string='Order')
    pos_reference = fields.Char(related='pos_order_id.pos_reference', string='Receipt Number')
    original_id = fields.Many2one(
        'qfpay.transaction',
        string='Refund of',
        readonly=True,
        index='btree_not_null',
        ondelete='restrict',
    )
    refund_ids = fields.One2many('qfpay.transaction', 'original_id', string='Refunds')
    refund_number = fields.Integer(
        readonly=True, aggregator=None, help='Counts the attempts to refund a payment.'
    )

    # Money
    amount_minor = fields.Integer(
        string='Amount (minor units)', required=True, readonly=True, aggregator=None
    )
    amount = fields.Monetary(compute='_compute_amount', store=True, help='Negative for a refund.')
    left_before_minor = fields.Integer(
        string='Left Before the Refund (minor units)',
        readonly=True,
        default=-1,
        aggregator=None,
        help='What QFPay said was left of the payment before this refund was sent. Negative: it '
        'did not say.',
    )
    currency_id = fields.Many2one('res.currency', required=True, readonly=True)

    # What is believed
    state = fields.Selection(
        selection=[
            ('draft', 'Not sent'),
            ('sent', 'Sent'),
            ('pending', 'Waiting for the customer'),
            ('unknown', 'Unknown'),
            ('done', 'Done'),
            ('failed', 'Failed'),
            ('cancelled', 'Cancelled'),
            ('reversed', 'Taken back by QFPay'),
        ],
        required=True,
        readonly=True,
        default='draft',
        index=True,
    )
    state_source = fields.Selection(
        selection=[
            ('answer', "QFPay's answer"),
            ('notification', "QFPay's notification"),
            ('inquiry', 'Inquiry'),
            ('page', "Till's page"),
            ('manager', 'Manager'),
            ('cashier', 'Cashier'),
            ('server', 'This server'),
        ],
        string='Known From',
        readonly=True,
    )
    by_manager = fields.Boolean(
        readonly=True, help="Done or failed by a manager's word, and not by QFPay's."
    )
    syssn = fields.Char(string='QFPay Number', readonly=True, index='btree_not_null')
    chnlsn = fields.Char(string='Channel Reference', readonly=True)
    pay_type = fields.Char(readonly=True)
    card_scheme = fields.Char(readonly=True)
    card_last4 = fields.Char(string='Card Number (last 4)', readonly=True)
    card_type = fields.Char(readonly=True)
    wallet = fields.Char(readonly=True)
    paid_at = fields.Char(
        string='Paid', readonly=True, help="QFPay's own time of the payment, Hong Kong time."
    )
    batch = fields.Char(string='Batch Number', readonly=True)
    channel_reference = fields.Char(string='Reference Number', readonly=True)
    trace = fields.Char(string='Trace Number', readonly=True)
    respcd = fields.Char(string='Response Code', readonly=True, help="QFPay's own code.")
    message = fields.Char(
        string='Last Message', readonly=True, help='What QFPay said last, word for word.'
    )
    reason = fields.Char(
        readonly=True, help='Why it ended, or is unknown, where QFPay said nothing; our own word.'
    )
    qrcode = fields.Char(string='Code to Scan', readonly=True)
    expires_at = fields.Datetime(readonly=True, help='Until then the code can be paid.')
    auth_code = fields.Char(
        readonly=True,
        copy=False,
        groups='base.group_system',
        help="The customer's code, kept only until it is sent.",
    )
    requested_at = fields.Datetime(
        readonly=True, required=True, help='The time of the order at QFPay: txdtm.'
    )
    # When it was asked for, on the steady clock of the machine that heard it.
    boot = fields.Char(readonly=True, default=lambda self: clock.boot())
    tick = fields.Float(readonly=True, aggregator=None, default=lambda self: clock.tick())
    claim = fields.Integer(readonly=True, aggregator=None)
    sent_at = fields.Datetime(string='Sent', readonly=True)
    deadline = fields.Datetime(
        readonly=True,
        help='After this nobody can be busy with the payment any more; an order at the gateway is '
        'cancelled then.',
    )
    answered_at = fields.Datetime(
        string='Answered', readonly=True, help='When QFPay ended the request with its answer.'
    )
    decided_at = fields.Datetime(string='Decided', readonly=True)
    cancel_requested_at = fields.Datetime(string='Cancel Asked', readonly=True)
    cancel_refused = fields.Boolean(readonly=True)
    asked = fields.Integer(
        string='Times Asked', readonly=True, aggregator=None, help='Since the state began.'
    )
    asked_at = fields.Datetime(string='Asked Last', readonly=True)

    # What is to be done
    next_step = fields.Char(readonly=True)
    next_step_at = fields.Datetime(readonly=True)
    urgent = fields.Boolean(readonly=True, help='Somebody wants QFPay to be asked now.')
    tell_at = fields.Datetime(
        readonly=True, help='Then payment line and tills are told, if that has not happened.'
    )

    told_state = fields.Char(readonly=True, help='The state that they were told last.')

    # Trouble
    alarms = fields.Json(readonly=True)
    needs_attention = fields.Boolean(readonly=True)
    attention = fields.Char(
        compute='_compute_attention',
        help='Why a manager must look at this transaction. Empty when all is well.',
    )
    testimony_ids = fields.One2many('qfpay.testimony', 'transaction_id', string='What Was Heard')

    _reference_unique = models.Constraint(
        'UNIQUE (reference)', 'Another QFPay transaction has this reference already.'
    )
    _amount_positive = models.Constraint(
        'CHECK (amount_minor > 0)', 'The amount of a QFPay transaction must be above zero.'
    )
    _one_open_per_payment = models.UniqueIndex(
        f'(payment_uuid) WHERE {_OPEN}',
        'This payment is already under way at QFPay.',
    )
    _one_job_per_terminal = models.UniqueIndex(
        f'(terminal_id) WHERE {_OPEN}',
        'The QFPay terminal is busy with another payment.',
    )
    _one_open_refund = models.UniqueIndex(
        f'(original_id) WHERE {_OPEN}',
        'A refund of this payment is already under way at QFPay.',
    )
    _one_owner_per_number = models.UniqueIndex(
        f'(syssn) WHERE {_MOVED}',
        "Another QFPay transaction has this number of QFPay's already.",
    )
    _attempts_in_order = models.UniqueIndex(
        '(order_uuid, order_attempt)',
        'Another till has just asked for the money of this order.',
    )
    _refunds_in_order = models.UniqueIndex(
        '(original_id, refund_number) WHERE original_id IS NOT NULL',
        'Another till has just begun a refund of this payment.',
    )
    _tap_unique = models.UniqueIndex('(tap)', 'This tap has begun a payment already.')
    _due = models.Index('(next_step_at) WHERE next_step_at IS NOT NULL')
    _untold = models.Index('(tell_at) WHERE tell_at IS NOT NULL')
    _strange = models.Index('(id) WHERE needs_attention IS TRUE')

    @api.depends('amount_minor', 'currency_id', 'kind')
    def _compute_amount(self):
        for row in self:
            row.amount = row._in_major(row.amount_minor) * (-1 if row.kind == 'refund' else 1)

    @api.depends('alarms')
    @api.depends_context('lang')
    def _compute_attention(self):
        for row in self:
            sentences = [alarm_sentence(row, *alarm) for alarm in row.alarms or ()]
            row.attention = ' '.join(sentences) or False

    def _exponent(self):
        """The decimals in which QFPay counts this currency; Odoo's may differ."""
        return CURRENCIES.get(self.currency_id.name, self.currency_id.decimal_places)

    def _in_major(self, minor):
        """Minor units of QFPay's as an amount in currency units."""
        return minor / 10 ** self._exponent()

    @api.model
    def _attempts(self, payment_uuid):
        """All attempts to pay a line, the newest first."""
        return self.search_fetch([('payment_uuid', '=', payment_uuid)], ['state'], order='id desc')

    def _deciding(self):
        """The attempt that tells how their line stands: one that is done, else the newest."""
        return self.filtered(lambda row: row.state == DONE)[:1] or self[:1]

    def _channel_facts(self):
        """What is known of this row's channel or pay type, of which it has one."""
        self.ensure_one()
        return CHANNELS[self.channel] if self.provider == 'ecr' else PAY_TYPES[self.channel]

    def _signed_minor(self):
        """The amount, negative for a refund."""
        self.ensure_one()
        return -self.amount_minor if self.kind == 'refund' else self.amount_minor

    def _refundable_minor(self):
        """What may still be refunded of this payment."""
        self.ensure_one()
        done = self.refund_ids.filtered(lambda row: row.state == DONE)
        return refundable(self.amount_minor, done.mapped('amount_minor'))

    def _is_cancelling(self):
        """Whether a cashier has to wait for what comes of the wish to cancel."""
        self.ensure_one()
        wanted = self.cancel_requested_at
        if self.state not in OPEN or not wanted or self.cancel_refused:
            return False
        return (self.env.cr.now() - wanted).total_seconds() < CANCEL_PATIENCE

    @api.model
    def _open_by(self, field, records):
        """A row that has not ended, of one of these terminals or accounts, if there is any.

        :param str field: 'terminal_id' or 'account_id'
        """
        return self.search([(field, 'in', records.ids), ('state', 'in', OPEN)], limit=1)
