"""The ledger: one row per attempt to move money through QFPay.

How it works. A row begins as `draft`, committed before anything leaves this server. The courier
claims it (`sent`) and carries it to QFPay. From then on three witnesses may report what they know:
the answer to the request, a notification, an inquiry. They come in any order, late or twice, and
all speak through `_learn`, which is the only place where a state changes on QFPay's word. What may
follow on what is told by `TRANSITIONS` and nothing else.

A lost answer leaves `unknown`, never `failed`. Only an inquiry, a late notification, or a manager
who looked into QFPay's portal, ends it. While a row is open no second attempt can be made for the
same payment line, and no other job can run on the same terminal: the database's unique indexes
hold that, not code.

`done` is never left. `failed` and `cancelled` can still become `done`, because QFPay's word that
money moved outweighs an earlier word that it did not; a manager is then asked to look.
"""

import logging
from datetime import timedelta
from functools import partial

from psycopg2.errors import UniqueViolation

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError

from .. import courier
from ..qfpay.ecr.codes import SUCCESS
from ..qfpay.ecr.message import CHANNELS
from ..qfpay.errors import InvalidRequest
from ..qfpay.openapi.catalogue import PAY_TYPES, Mode
from ..qfpay.outcome import Verdict
from .notice import notice
from .qfpay_start import Start, find_payment
from .qfpay_states import OPEN_STATES, STATE_OF_VERDICT, TRANSITIONS
from .qfpay_terminal import GRACE
from .qfpay_words import explain

_logger = logging.getLogger(__name__)

# For the indexes: an attempt that has not ended.
_OPEN = f'state IN {OPEN_STATES}'

CALLED_OFF = '6001'
# A terminal whose answer leaves the money in doubt is asked, and a wallet may be slow to tell: "no
# such payment" counts only so much later (the protocol, A8 and A12.3).
SETTLING = timedelta(seconds=3)
# What ended without QFPay's positive word is asked about once more, when all is settled.
ASK_AGAIN = timedelta(minutes=3)
EXPIRED = '1181'
# The customer's code was wrong, used or too old: another one may do.
CODES_TO_RESCAN = ('1202', '1212', '1144', '2005', '2006')


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
    config_id = fields.Many2one(
        'pos.config', string='Till', required=True, readonly=True, ondelete='restrict'
    )
    session_id = fields.Many2one(
        'pos.session', required=True, readonly=True, index=True, ondelete='restrict'
    )
    company_id = fields.Many2one('res.company', required=True, readonly=True)
    order_uuid = fields.Char(readonly=True)
    payment_uuid = fields.Char(required=True, readonly=True, index=True)
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

    # Money
    amount_minor = fields.Integer(
        string='Amount (minor units)', required=True, readonly=True, aggregator=None
    )
    amount = fields.Monetary(compute='_compute_amount', help='Negative for a refund.')
    left_before_minor = fields.Integer(
        string='Left Before the Refund (minor units)',
        readonly=True,
        default=-1,
        aggregator=None,
        help='What QFPay said was left of the payment before this refund was sent. Negative: it '
        'did not say.',
    )
    currency_id = fields.Many2one('res.currency', required=True, readonly=True)

    # Knowledge
    state = fields.Selection(
        selection=[
            ('draft', 'Not sent'),
            ('sent', 'Sent'),
            ('pending', 'Waiting for the customer'),
            ('unknown', 'Unknown'),
            ('done', 'Done'),
            ('failed', 'Failed'),
            ('cancelled', 'Cancelled'),
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
            ('manager', 'Manager'),
        ],
        string='Known From',
        readonly=True,
    )
    syssn = fields.Char(string='QFPay Number', readonly=True, index='btree_not_null')
    chnlsn = fields.Char(string='Channel Reference', readonly=True)
    pay_type = fields.Char(readonly=True)
    card_scheme = fields.Char(readonly=True)
    card_last4 = fields.Char(string='Card Number (last 4)', readonly=True)
    card_type = fields.Char(readonly=True)
    wallet = fields.Char(readonly=True)
    respcd = fields.Char(string='Response Code', readonly=True)
    message = fields.Char(
        string='Last Message',
        readonly=True,
        help='What QFPay or the connection to it said last, word for word.',
    )
    qrcode = fields.Char(string='Code to Scan', readonly=True)
    expires_at = fields.Datetime(readonly=True, help='Until then the code is shown.')
    auth_code = fields.Char(
        readonly=True,
        copy=False,
        groups='base.group_system',
        help="The customer's code, kept only until it is sent.",
    )
    requested_at = fields.Datetime(
        readonly=True, default=fields.Datetime.now, help='The time of the order at QFPay: txdtm.'
    )
    sent_at = fields.Datetime(string='Sent', readonly=True)
    deadline = fields.Datetime(
        readonly=True,
        help='After this the terminal cannot be busy with the payment any more; an order at the '
        'gateway is called off then.',
    )
    lapsed = fields.Boolean(readonly=True, help='The deadline is over and was dealt with.')
    answered_at = fields.Datetime(
        string='Answered',
        readonly=True,
        help='When QFPay ended the request with an answer of its own.',
    )
    goes_on = fields.Boolean(
        readonly=True,
        help='The answer spoke of success, or of work to be done: that nothing is found proves '
        'nothing before the deadline.',
    )
    ask_again_at = fields.Datetime(
        readonly=True,
        index='btree_not_null',
        help='QFPay is asked once more then, although the end is known.',
    )
    decided_at = fields.Datetime(string='Decided', readonly=True)
    decided_by_id = fields.Many2one('res.users', readonly=True)
    cancel_requested_at = fields.Datetime(string='Call-off Asked', readonly=True)
    cancel_refused = fields.Boolean(string='Call-off Refused', readonly=True)
    lease_until = fields.Datetime(readonly=True, help='Until then a courier has this row.')

    # Trouble
    attention = fields.Char(
        readonly=True, help='Why a manager must look at this transaction. Empty when all is well.'
    )
    attention_cleared_by_id = fields.Many2one('res.users', readonly=True)
    attention_cleared_at = fields.Datetime(readonly=True)

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

    @api.depends('amount_minor', 'currency_id', 'kind')
    def _compute_amount(self):
        for row in self:
            sign = -1 if row.kind == 'refund' else 1
            row.amount = sign * row.amount_minor / 10**row.currency_id.decimal_places

    # ------------------------------------------------------------------
    # The beginning
    # ------------------------------------------------------------------

    @api.model
    def _start(self, payment_uuid, auth_code=''):
        """Begin a payment or refund for a payment line, unless one is under way or done.

        The courier sets out when the row is committed. When Odoo runs the request again after a
        concurrency error, the first run's row is gone and nothing had left; when the browser asks
        again, the row is found and nothing is sent twice.

        :param str payment_uuid: the line; its order was synchronised before
        :param str auth_code: the customer's code, for methods that scan one
        :return: the status of the line, see `_status`
        :raise StartRefused: nothing was started
        """
        payment = find_payment(self.env, payment_uuid)
        ledger = self.sudo().with_company(payment.company_id)
        attempts = ledger._attempts(payment_uuid)
        known = attempts._deciding()
        if known.state in (*OPEN_STATES, 'done'):
            known._take_up()
            return known._status()
        values = Start(ledger, payment).values(len(attempts) + 1, auth_code)
        try:
            row = ledger.create(values)
        except UniqueViolation as error:
            # Somebody was faster by a moment. Odoo runs the request again, which then sees who.
            raise ConcurrencyError(f'{values["reference"]} was overtaken') from error
        self.env.cr.postcommit.add(partial(courier.carry, self.env.cr.dbname, row.id))
        return row._status()

    @api.model
    def _attempts(self, payment_uuid):
        """All attempts to pay a line, the newest first."""
        return self.search_fetch([('payment_uuid', '=', payment_uuid)], ['state'], order='id desc')

    def _deciding(self):
        """The attempt that tells how their line stands: one that is done, else the newest."""
        return self.filtered(lambda row: row.state == 'done')[:1] or self[:1]

    def _channel_facts(self):
        """What is known of this row's channel or pay type, of which it has one."""
        self.ensure_one()
        return CHANNELS[self.channel] if self.provider == 'ecr' else PAY_TYPES[self.channel]

    def _returned_minor(self):
        """What was given back of this payment already, in minor units."""
        self.ensure_one()
        refunds = self.refund_ids.filtered(lambda row: row.state == 'done')
        return sum(refunds.mapped('amount_minor'))

    def _refundable_minor(self):
        return self.amount_minor - self._returned_minor()

    def _left_to_give_back(self):
        """What QFPay may still give back of this payment, or of the payment of this refund.

        :return: in currency units; None for what was not paid
        """
        paid = (self.original_id or self).sudo()
        if paid.state != 'done':
            return None
        # Without QFPay's number, as a manager may have left it, nothing can be given back.
        can_be_asked = paid.syssn and paid._channel_facts().refundable
        left = paid._refundable_minor() if can_be_asked else 0
        return left / 10**paid.currency_id.decimal_places

    @api.model
    def _open_by(self, field, records):
        """A row that has not ended, of one of these terminals or accounts, if there is any.

        :param str field: 'terminal_id' or 'account_id'
        """
        return self.search([(field, 'in', records.ids), ('state', 'in', OPEN_STATES)], limit=1)

    # ------------------------------------------------------------------
    # What the courier asks of the ledger
    # ------------------------------------------------------------------

    def _errand(self):
        """What the courier is to do for this row, see courier.Errand."""
        self.ensure_one()
        return (self.terminal_id or self.account_id)._errand(self)

    def _claim(self):
        """Take the row for the calling courier.

        :return: (errand, is_new): `is_new` when it is to be sent, else it is to be asked about;
            None when another courier has it or there is nothing to do
        """
        now = self._lock()
        if self.state not in OPEN_STATES or (self.lease_until and self.lease_until > now):
            return None
        is_new = self.state == 'draft'
        # The customer is gone: a terminal that wakes up now would frighten the next one.
        is_stale = is_new and self.create_date < now - GRACE
        # Whoever had it died before the refund left: what is left is noted first.
        is_unsent = self.kind == 'refund' and self.terminal_id and self.left_before_minor < 0
        if is_stale or (is_unsent and not is_new):
            self._move('failed', 'answer', {'respcd': 'not_sent'})
            return None
        try:
            errand = self._errand()
        except (UserError, InvalidRequest) as error:
            _logger.warning('QFPay: transaction %s cannot be carried: %s', self.reference, error)
            if is_new:
                self._move('failed', 'answer', {'respcd': 'not_sent', 'message': str(error)})
            return None
        if is_new:
            deadline = (self.terminal_id or self.account_id)._deadline(self, now)
            self._move('sent', None, {'sent_at': now, 'deadline': deadline})
        self.lease_until = now + timedelta(seconds=courier.LEASE)
        return errand, is_new

    def _note_left(self, left_minor):
        """Keep what is left of the original before the refund leaves (the protocol, A12.4).

        :return: whether the refund may leave; not when it was given up in the meantime
        """
        self._lock()
        if self.state not in OPEN_STATES:
            return False
        self.left_before_minor = left_minor
        return True

    @api.model
    def _renew_lease(self, row_ids):
        self.env.cr.execute(
            """
            UPDATE qfpay_transaction
               SET lease_until = clock_timestamp() AT TIME ZONE 'UTC' + %s * interval '1 second'
             WHERE id IN %s AND lease_until IS NOT NULL
            """,
            (courier.LEASE, tuple(row_ids)),
        )

    def _take_up(self):
        """Send a courier to open rows that none carries, for instance after a restart."""
        now = fields.Datetime.now()
        for row in self.sudo():
            if row.state not in OPEN_STATES:
                continue
            if row._is_asked_in_round() or not row.lease_until or row.lease_until <= now:
                row._send_courier()

    def _send_courier(self, at_once=False):
        if self._is_asked_in_round():
            courier.go_round(self.env.cr.dbname, self.account_id.id, at_once)
        else:
            courier.carry(self.env.cr.dbname, self.id)

    def _is_asked_in_round(self):
        return bool(self.account_id) and self.state != 'draft'

    def _hand_to_round(self):
        """From here on the account's round asks about the row, and now."""
        if self.state in OPEN_STATES:
            self._send_courier(at_once=True)

    def _verdicts_without_news(self, now):
        """What an inquiry may say without telling anything new about this open row."""
        same = {verdict for verdict, state in STATE_OF_VERDICT.items() if state == self.state}
        return same if self._is_over(now) else {*same, Verdict.NOT_FOUND, Verdict.UNKNOWN}

    @api.model
    def _cron_take_up(self):
        self.search([('state', 'in', OPEN_STATES)])._take_up()
        doubtful = self.search([('ask_again_at', '<', self._clock())])
        doubtful.ask_again_at = False
        for row in doubtful:
            self.env.cr.postcommit.add(partial(courier.ask_once, self.env.cr.dbname, row.id))

    @api.model
    def _clock(self):
        """The database's time: leases and deadlines are compared by several servers."""
        self.env.cr.execute("SELECT clock_timestamp() AT TIME ZONE 'UTC'")
        return self.env.cr.fetchone()[0]

    def _lock(self):
        """Wait for the row, and read it anew: whoever holds it may change it.

        :return: the database's time, see `_clock`
        """
        self.ensure_one()
        self.env.cr.execute(
            """
            SELECT clock_timestamp() AT TIME ZONE 'UTC' FROM qfpay_transaction
             WHERE id = %s FOR UPDATE
            """,
            [self.id],
        )
        now = self.env.cr.fetchone()[0]
        self.invalidate_recordset()
        return now

    # ------------------------------------------------------------------
    # What happened
    # ------------------------------------------------------------------

    def _learn(self, outcome, source):
        """Take in what one witness says. The only way in for QFPay's word.

        :param qfpay.outcome.Outcome outcome: what was said
        :param str source: who said it: 'answer', 'notification' or 'inquiry'
        :return: whether the row is still open
        """
        now = self._lock()
        if contradiction := self._contradiction(outcome):
            self._raise_attention(contradiction)
            if self.state == 'sent':
                self._move('unknown', source, {})
            return self.state in OPEN_STATES
        values = self._facts(outcome)
        if self.terminal_id:
            values.update(self._facts_of_terminal(outcome, source, now))
        target = self._target_state(outcome, now)
        if target != self.state and target in TRANSITIONS[self.state]:
            is_doubtful = not outcome.final or self.cancel_requested_at or target == 'cancelled'
            if target not in OPEN_STATES and is_doubtful:
                values['ask_again_at'] = now + ASK_AGAIN
            self._move(target, source, values)
        elif self.state in OPEN_STATES:
            self.write(values)
        elif target == self.state == 'done':
            self._complete(values)
        elif self.state == 'done' and outcome.final and not self._returned_minor():
            self._raise_attention(
                self._in_shop_language().env._(
                    'QFPay says that no money moved, after it was known as done. Compare with the '
                    'QFPay merchant portal.'
                )
            )
        return self.state in OPEN_STATES

    @api.model
    def _hear(self, account, report):
        """Take in a notification that was verified.

        :param account: the `qfpay.account` whose key signed it
        :param qfpay.openapi.notification.Notification report: what QFPay says
        """
        outcome = report.outcome
        row = self.search(
            [
                ('reference', '=', outcome.reference),
                ('company_id', '=', account.company_id.id),
                ('account_id', 'in', (account.id, False)),
            ]
        )
        if not row or outcome.trade_type != row.kind:
            # A refund from QFPay's portal, a sale of another system on the same account.
            _logger.info('QFPay: notified of %s, which is not ours', report.notify_type)
            return
        row._learn(outcome, 'notification')

    def _complete(self, values):
        """Fill what was still empty on a row that is done; what is known stays."""
        news = {name: value for name, value in values.items() if not self[name]}
        if news:
            self.write(news)
            self.pos_payment_id._qfpay_take_over(self)
            self._tell_tills()

    def _facts_of_terminal(self, outcome, source, now):
        """What an answer tells besides the payment: of its own end, and of the terminal."""
        # A notification comes from QFPay's host, and says nothing about the terminal.
        if source != 'notification' and outcome.signed and not self.terminal_id.sealed:
            self.terminal_id.sealed = True
        if source != 'answer' or not outcome.code:
            return {}
        speaks_of_success = outcome.code == SUCCESS or outcome.verdict is Verdict.PENDING
        return {'answered_at': now, 'goes_on': speaks_of_success}

    def _target_state(self, outcome, now):
        """The state that an outcome leads to; the present one when it tells nothing new."""
        if outcome.verdict is not Verdict.NOT_FOUND:
            return STATE_OF_VERDICT[outcome.verdict]
        if not self._is_over(now):
            return self.state
        return 'cancelled' if self.respcd == CALLED_OFF else 'failed'

    def _is_over(self, now):
        """Whether "no such payment" proves anything: nobody can be waiting for the customer now."""
        if self.deadline and self.deadline < now:
            return True
        return bool(self.answered_at and not self.goes_on and self.answered_at + SETTLING <= now)

    def _contradiction(self, outcome):
        """Why an outcome cannot be about this row, or None."""
        reference = (outcome.reference, self.reference)
        if self.kind == 'refund' and self.terminal_id:
            # The terminal gives a refund a number of its own and names the payment instead.
            reference = (outcome.orig_syssn, self.original_id.syssn)
        amount = (outcome.amount_minor, self.amount_minor)
        currency = (outcome.currency, self.currency_id.name)
        merchant = (outcome.merchant, self.account_id.mchid or outcome.merchant)
        for heard, expected in (reference, amount, currency, merchant):
            if heard is not None and heard != expected:
                return self._in_shop_language().env._(
                    'QFPay speaks of %(heard)s, but %(expected)s was asked for. Compare with the '
                    'QFPay merchant portal.',
                    heard=self._in_words(heard),
                    expected=self._in_words(expected),
                )
        return None

    def _in_words(self, value):
        """Minor units as money; a name or number of QFPay's as it is."""
        if isinstance(value, int):
            return self.currency_id.format(value / 10**self.currency_id.decimal_places)
        return value

    def _in_shop_language(self):
        """This row in the cashier's language, for sentences that are kept for the managers."""
        return self.with_context(lang=self.create_uid.lang)

    def _facts(self, outcome):
        """The columns that an outcome fills; what it does not tell stays as it was."""
        facts = {
            'syssn': outcome.syssn,
            'chnlsn': outcome.chnlsn,
            'pay_type': outcome.pay_type,
            'card_scheme': outcome.card_scheme,
            'card_last4': outcome.card_last4,
            'card_type': outcome.card_type,
            'wallet': outcome.wallet,
            'respcd': outcome.code if outcome.inner_code in ('', '0000') else outcome.inner_code,
            'message': outcome.message,
            'qrcode': outcome.qrcode or outcome.pay_url,
        }
        if facts['qrcode']:
            facts['expires_at'] = self.requested_at + timedelta(
                minutes=self.account_id.expiry_minutes
            )
        if outcome.verdict in (Verdict.NOT_FOUND, Verdict.UNKNOWN) and self.respcd:
            # The first answer explains more than "no such payment" afterwards.
            facts.update(respcd=None, message=None)
        return {name: value for name, value in facts.items() if value}

    def _move(self, state, source, values):
        """Change the state, tell the payment line and the tills. Nobody else writes `state`."""
        self.ensure_one()
        if state not in TRANSITIONS[self.state]:
            raise ValueError(f'{self.reference}: {self.state} cannot become {state}')
        came_late = self.state in ('failed', 'cancelled')
        # The customer's code is kept only until it is sent, or never will be.
        values = dict(values, state=state, state_source=source, auth_code=False)
        if state not in OPEN_STATES:
            values.update(decided_at=fields.Datetime.now(), lease_until=False)
        self.write(values)
        self.pos_payment_id._qfpay_take_over(self)
        if state == 'done':
            others = self._attempts(self.payment_uuid) - self
            if reasons := self._reasons_to_look(came_late, others):
                self._raise_attention(' '.join(reasons))
            others._call_off_needless()
        elif state not in OPEN_STATES and self.pos_payment_id.qfpay_confirmation == 'unconfirmed':
            self._raise_attention(
                self._in_shop_language().env._(
                    'The payment was recorded as done, but QFPay says that no money moved. Collect '
                    'it from the customer, or correct the order.'
                )
            )
        if state != 'sent':
            # Of that the till has no news: what it asked for is under way.
            self._tell_tills()

    def _call_off_needless(self):
        """Attempts whose line is paid by another one: nobody should pay it once more."""
        for row in self.filtered(lambda row: row.state in OPEN_STATES):
            if row._ask_call_off():
                self.env.cr.postcommit.add(partial(courier.call_off, self.env.cr.dbname, row.id))

    def _reasons_to_look(self, came_late, others):
        """Why a manager must look at a row that is done now.

        :param bool came_late: the row was known as failed or cancelled before
        :param others: the other attempts to pay the same line
        """
        paid_before = others.filtered(lambda row: row.state == 'done')[:1]
        order = self.pos_payment_id.pos_order_id
        order.fetch(['state'])
        is_cancelled = order.state == 'cancel'
        is_confirmed = self.pos_payment_id.qfpay_confirmation == 'confirmed'
        if is_confirmed and not is_cancelled and not came_late and not paid_before:
            return []
        env = self._in_shop_language().env
        reasons = []
        if paid_before and self.kind == 'refund':
            reasons.append(
                env._(
                    'The money was given back twice: %(reference)s is done, too. Ask the customer '
                    'to return one of the two.',
                    reference=paid_before.reference,
                )
            )
        elif paid_before:
            reasons.append(
                env._(
                    'The customer has paid twice: %(reference)s is done, too. Give one of the two '
                    'back.',
                    reference=paid_before.reference,
                )
            )
        elif came_late and self.kind == 'refund':
            reasons.append(
                env._(
                    'QFPay says that the money was given back, after it had said that it was not. '
                    'Check that it is not given back twice.'
                )
            )
        elif came_late:
            reasons.append(
                env._(
                    'QFPay says that the money moved, after it had said that it did not. Check '
                    'that the customer has not paid twice.'
                )
            )
        if not self.pos_payment_id:
            reasons.append(
                env._('The money moved, but the payment line is gone. Give it back or book it.')
            )
        elif is_cancelled:
            reasons.append(env._('The money moved, but the order was cancelled. Give it back.'))
        elif not is_confirmed:
            reasons.append(env._('The payment in Odoo is booked with another amount.'))
        return reasons

    def _raise_attention(self, why):
        _logger.warning('QFPay: transaction %s needs attention: %s', self.reference, why)
        self.write(
            {'attention': why, 'attention_cleared_by_id': False, 'attention_cleared_at': False}
        )

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
    # Calling off
    # ------------------------------------------------------------------

    @api.model
    def _call_off(self, payment_uuid):
        """Ask QFPay to call off the payment of a line.

        :return: the status of the line, see `_status`
        """
        row = self._attempts(payment_uuid)._deciding()
        if row.state not in OPEN_STATES:
            return self._look_up(payment_uuid)
        # Committed on its own: the courier must see it, and a repeated request only asks again.
        with self.env.registry.cursor() as cr:
            row = row.with_env(self.env(cr=cr, su=True))
            must_tell_qfpay = row._ask_call_off()
            status = row._status()
        if must_tell_qfpay:
            courier.call_off(self.env.cr.dbname, row.id)
        return status

    def _ask_call_off(self):
        """Note that the cashier wants the payment called off.

        :return: whether the courier has to tell QFPay
        """
        now = self._lock()
        if self.state == 'draft':
            self._move('cancelled', 'answer', {})
            return False
        if self.state not in OPEN_STATES or self.kind == 'refund':
            return False
        self.write({'cancel_requested_at': now, 'cancel_refused': False})
        return True

    def _errand_to_call_off(self):
        """The errand, if it can hit this very payment only.

        A terminal's cancel names no payment: sent too late it would hit another one. The gateway is
        told the number of the order.
        """
        self.ensure_one()
        is_over = self.answered_at or (self.deadline and self.deadline < self._clock())
        if self.state not in OPEN_STATES or (self.terminal_id and is_over):
            return None
        return self._errand()

    def _note_call_off(self, accepted):
        """QFPay's reply to a call-off. It proves nothing about the money (the protocol, A12.3)."""
        self._lock()
        if self.state in OPEN_STATES and not accepted:
            self.cancel_refused = True
            self._tell_tills()

    # ------------------------------------------------------------------
    # What a till and a manager see
    # ------------------------------------------------------------------

    def _status(self):
        """How a payment line stands, for the till.

        :return: dict for the browser. `amount` is in currency units with the line's sign;
            `message` is a sentence for the cashier, empty when all is well
        """
        self.ensure_one()
        return {
            'payment_uuid': self.payment_uuid,
            'reference': self.reference,
            'kind': self.kind,
            'state': self.state,
            'cancelling': self._is_being_called_off(),
            'message': explain(self),
            'amount': self.amount,
            'transaction_id': self.syssn or '',
            'payment_ref_no': self.chnlsn or '',
            'card_brand': self.card_scheme or '',
            'card_no': self.card_last4 or '',
            'card_type': self.card_type or self.wallet or '',
            'terminal': self.sudo().terminal_id.name or '',
            'attention': bool(self.attention),
            'refundable': self._left_to_give_back(),
            **self._code_status(),
        }

    def _code_status(self):
        """What the till needs to know where codes are shown or scanned, for `_status`."""
        if not self.account_id:
            return {'mode': 'terminal'}
        asked = PAY_TYPES[self.channel]
        mode = 'scan' if asked.mode is Mode.CPM else 'show'
        is_open = self.state in OPEN_STATES
        is_payment = self.kind == 'payment'
        ran_out = self.state in ('failed', 'cancelled') and (self.lapsed or self.respcd == EXPIRED)
        return {
            'mode': mode,
            'qrcode': self.qrcode or '' if is_open else '',
            'expires_at': f'{self.expires_at.isoformat()}Z' if self.expires_at else '',
            'expires_in': self._seconds_left(),
            'pay_type': self.pay_type or self.channel,
            'wallet': self.wallet or asked.wallet,
            'step': 'password' if mode == 'scan' and self.state == 'pending' and is_payment else '',
            'can_retry_code': self.state == 'failed' and self.respcd in CODES_TO_RESCAN,
            'can_renew': mode == 'show' and ran_out and not self.cancel_requested_at,
        }

    def _seconds_left(self):
        """How long the code is shown yet. Not a time of day: a till's clock may be wrong."""
        left = self.expires_at - fields.Datetime.now() if self.expires_at else timedelta()
        return max(left.total_seconds(), 0)

    @api.model
    def _look_up(self, payment_uuid, inquire=False):
        """How the line of that uuid stands, for the till; 'none' without any attempt.

        :param bool inquire: ask QFPay now
        """
        row = self._attempts(payment_uuid)._deciding()
        if not row:
            return {'payment_uuid': payment_uuid, 'state': 'none'}
        if inquire:
            row.action_inquire()
        else:
            row._take_up()
        return row._status()

    def _is_being_called_off(self):
        return bool(
            self.state in OPEN_STATES and self.cancel_requested_at and not self.cancel_refused
        )

    def action_inquire(self):
        """Ask QFPay now."""
        self.check_access('read')
        for row in self.sudo():
            if row.state in OPEN_STATES:
                row._send_courier(at_once=True)
        return notice('info', self.env._('QFPay is being asked. Look again in a moment.'))

    def action_set_done(self):
        """A manager saw in QFPay's portal that the money moved."""
        self._decide('done')

    def action_set_failed(self):
        """A manager saw in QFPay's portal that no money moved."""
        self._decide('failed')

    def _decide(self, state):
        self._check_manager()
        for row in self.sudo():
            row._lock()
            if row.state not in ('sent', 'pending', 'unknown'):
                raise UserError(
                    self.env._(
                        'Transaction %(reference)s is decided already.', reference=row.reference
                    )
                )
            row._move(state, 'manager', {'decided_by_id': self.env.uid})
            # QFPay may answer by now, with the number that a refund needs.
            self.env.cr.postcommit.add(partial(courier.ask_once, self.env.cr.dbname, row.id))

    def action_clear_attention(self):
        self._check_manager()
        self.sudo().write(
            {
                'attention': False,
                'attention_cleared_by_id': self.env.uid,
                'attention_cleared_at': fields.Datetime.now(),
            }
        )

    def _check_manager(self):
        self.check_access('read')
        if not self.env.user.has_group('point_of_sale.group_pos_manager'):
            raise AccessError(self.env._('Only a Point of Sale manager can decide this.'))
