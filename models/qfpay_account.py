"""A merchant account of QFPay's OpenAPI: who the shop is to QFPay, and how the courier asks there.

One account serves many payment methods and tills. What all workers and servers of the database
have to agree on, how many requests were made and who asks about the open payments, is kept in
`qfpay.account.pulse`, so that it never touches the settings.
"""

import secrets
import time
from datetime import timedelta, timezone
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from .. import courier
from ..qfpay.errors import InvalidRequest, NotificationRefused, RateLimited
from ..qfpay.openapi.account import Account, checked_base_url
from ..qfpay.openapi.catalogue import ENVIRONMENTS, PAY_TYPES, Mode
from ..qfpay.openapi.gateway import Gateway
from ..qfpay.openapi.message import (
    LONGEST_EXPIRY,
    SHORTEST_EXPIRY,
    CallOff,
    CpmPayment,
    MpmPayment,
    Refund,
)
from ..qfpay.openapi.notification import read_notification
from ..qfpay.openapi.signature import ClientKey, SignType
from .notice import notice

# How long after its end an order may still turn out paid before it is called off (B14).
GRACE = timedelta(seconds=30)
# A customer's code that is not charged by then is called off (B14).
SCAN_TIME = timedelta(minutes=2)
# By these QFPay knows whose payment is asked about.
IDENTITY = ('app_code', 'mchid', 'environment', 'custom_url')
# The longest that a request waits for its slot before it is given up.
SLOT_PATIENCE = 20


class QFPayAccount(models.Model):
    _name = 'qfpay.account'
    _inherit = 'qfpay.credentials.mixin'
    _description = 'QFPay Account'
    _order = 'name, id'
    _check_company_auto = True
    _qfpay_key = 'client_key'
    _qfpay_copied = ('app_code', 'client_key', 'mchid', 'custom_url')
    _qfpay_named_by = (
        ('pos.payment.method', 'qfpay_account_id'),
        ('qfpay.transaction', 'account_id'),
    )

    name = fields.Char(required=True, help="What managers call it, for instance the shop's name.")
    active = fields.Boolean(default=True)
    company_id = fields.Many2one(
        comodel_name='res.company', required=True, default=lambda self: self.env.company
    )
    app_code = fields.Char(
        copy=False,
        groups='point_of_sale.group_pos_manager',
        help='From QFPay, together with the client key.',
    )
    client_key = fields.Char(
        copy=False,
        groups='point_of_sale.group_pos_manager',
        help='From QFPay. It signs every request and never leaves the server.',
    )
    mchid = fields.Char(
        string='Merchant ID',
        copy=False,
        help='Only if QFPay gave you one: it becomes a part of every request.',
    )
    environment = fields.Selection(
        selection=[
            ('production', 'Production: real money'),
            ('live_testing', 'Live testing: real wallets, never settled'),
            ('sandbox', 'Sandbox: simulation'),
            ('custom', 'Address of your own'),
        ],
        required=True,
        default='production',
    )
    custom_url = fields.Char(
        string='Address', help='Only a system administrator can set this address.'
    )
    signature_type = fields.Selection(
        selection=[('SHA256', 'SHA256'), ('MD5', 'MD5')], required=True, default='SHA256'
    )
    expiry_minutes = fields.Integer(
        string='Code Lives (min)',
        required=True,
        default=SHORTEST_EXPIRY,
        help='How long a shown code can be paid; 5 to 120 minutes.',
    )
    notify_token = fields.Char(
        copy=False,
        readonly=True,
        required=True,
        default=lambda self: secrets.token_urlsafe(24),
        groups='point_of_sale.group_pos_manager',
    )
    notify_url = fields.Char(
        string='Notification Address',
        compute='_compute_notify_url',
        groups='point_of_sale.group_pos_manager',
        help='Have QFPay register this address for the account: payments are then known a moment '
        'earlier. Without it everything works as well.',
    )
    payment_method_ids = fields.One2many(
        'pos.payment.method', 'qfpay_account_id', string='Payment Methods', check_company=True
    )

    _notify_token_unique = models.Constraint(
        'UNIQUE (notify_token)', 'Another QFPay account has this notification address.'
    )

    @api.depends('notify_token')
    def _compute_notify_url(self):
        for account in self:
            token = account.notify_token
            account.notify_url = (
                f'{account.get_base_url()}/pos_payment_qfpay/notify/{token}' if token else False
            )

    @api.model_create_multi
    def create(self, vals_list):
        accounts = super().create(vals_list)
        # On the records: the address may come from a default, too.
        accounts._check_may_set_address(any(accounts.mapped('custom_url')))
        return accounts

    def write(self, vals):
        self._check_may_set_address(vals.get('custom_url'))
        if any(name in vals for name in IDENTITY):
            self._check_nothing_open()
        return super().write(vals)

    def _check_nothing_open(self):
        """To another merchant, or elsewhere, QFPay would not know an open payment, and deny it."""
        open_row = self.env['qfpay.transaction'].sudo()._open_by('account_id', self)
        if open_row:
            raise UserError(
                self.env._(
                    'A payment of "%(account)s" is under way, and QFPay knows it under the present '
                    'credentials only. Wait for its end, or decide it under QFPay Transactions, '
                    'then change them.',
                    account=open_row.account_id.name,
                )
            )

    def _check_may_set_address(self, address):
        """Whoever sets the address receives every request of the shop."""
        if address and not (self.env.su or self.env.user._is_system()):
            raise AccessError(
                self.env._('Only a system administrator can set the address of a QFPay account.')
            )

    @api.constrains(
        'app_code', 'client_key', 'mchid', 'environment', 'custom_url', 'signature_type'
    )
    def _check_can_be_used(self):
        for account in self.sudo():
            if account.environment == 'custom' and not account.custom_url:
                raise ValidationError(
                    self.env._(
                        "Choose one of QFPay's environments, or have a system administrator enter "
                        'the address.'
                    )
                )
            try:
                if account.custom_url:
                    checked_base_url(account.custom_url)
                if account._is_set_up():
                    account._credentials()
            except InvalidRequest as error:
                raise ValidationError(account._explain_invalid(error)) from None

    @api.constrains('expiry_minutes')
    def _check_expiry(self):
        if any(not SHORTEST_EXPIRY <= it.expiry_minutes <= LONGEST_EXPIRY for it in self):
            raise ValidationError(self.env._('A QFPay code can live for 5 to 120 minutes.'))

    def _explain_invalid(self, error):
        """The sentence for a setting that the library refused, by the error's `field`."""
        sentences = {
            'base_url': self.env._(
                '"%(address)s" is no address of a gateway. Enter https://, the host and nothing '
                'else.',
                address=self.custom_url,
            ),
            'app_code': self.env._('The app code holds letters and digits only. Copy it again.'),
            'client_key': self.env._('The client key cannot be right. Copy it again.'),
            'merchant_id': self.env._(
                'The merchant ID has 1 to 16 letters and digits. Leave it empty if QFPay gave '
                'you none.'
            ),
        }
        return sentences.get(error.field, error.message)

    # ------------------------------------------------------------------
    # Speaking with QFPay
    # ------------------------------------------------------------------

    def _is_set_up(self):
        settings = self.sudo()
        return bool(settings.app_code and settings.client_key)

    def _explain_not_set_up(self):
        return self.env._(
            'QFPay account "%(account)s" is not set up: a manager has to enter its app code and '
            'client key under Point of Sale, Configuration, QFPay Accounts.',
            account=self.name,
        )

    def _credentials(self):
        settings = self.sudo()
        return Account(
            base_url=ENVIRONMENTS.get(settings.environment) or settings.custom_url,
            app_code=settings.app_code,
            client_key=ClientKey(settings.client_key),
            merchant_id=settings.mchid or None,
            sign_type=SignType(settings.signature_type),
        )

    def _gateway(self):
        """QFPay for this account; every request takes a slot of the common budget.

        :return: qfpay.openapi.gateway.Gateway
        :raise UserError: app code or client key are not set
        """
        self.ensure_one()
        if not self._is_set_up():
            raise UserError(self._explain_not_set_up())
        permit = partial(_wait_for_slot, self.env.cr.dbname, self.id)
        return Gateway(self._credentials(), permit=permit)

    def _errand(self, transaction):
        """What the courier is to do for a row of the ledger, in plain objects without a cursor.

        :param transaction: the `qfpay.transaction`
        :return: courier.Errand
        """
        self.ensure_one()
        gateway = self._gateway()
        reference = transaction.reference
        requested_at = _moment(transaction.requested_at)

        def inquire():
            return gateway.query([reference], since=requested_at)[reference]

        if transaction.kind == 'refund':
            request = Refund(
                syssn=transaction.original_id.syssn,
                reference=reference,
                amount_minor=transaction.amount_minor,
                requested_at=requested_at,
                till=transaction.config_id.name,
            )
            return courier.Errand(
                send=lambda: gateway.refund(request), inquire=inquire, in_round=True
            )
        send = None
        if transaction.state == 'draft':
            send = partial(gateway.pay, self._payment_request(transaction))
        order = CallOff(
            pay_type=transaction.channel,
            amount_minor=transaction.amount_minor,
            requested_at=requested_at,
            reference=reference,
            syssn=transaction.syssn or None,
            till=transaction.config_id.name,
        )
        return courier.Errand(
            send=send,
            inquire=inquire,
            call_off=lambda: gateway.call_off(order),
            in_round=True,
        )

    def _payment_request(self, transaction):
        """The request for a payment (the protocol, B6.1).

        :raise InvalidRequest: a field cannot be sent
        """
        common = {
            'reference': transaction.reference,
            'amount_minor': transaction.amount_minor,
            'currency': transaction.currency_id.name,
            'pay_type': transaction.channel,
            'requested_at': _moment(transaction.requested_at),
            'till': transaction.config_id.name,
        }
        if PAY_TYPES[transaction.channel].mode is Mode.CPM:
            return CpmPayment(**common, auth_code=transaction.sudo().auth_code or '')
        return MpmPayment(**common, expires_minutes=self.expiry_minutes)

    def _deadline(self, transaction, now):
        """When an order that is still open is called off."""
        if transaction.kind == 'refund' or PAY_TYPES[transaction.channel].mode is Mode.CPM:
            return transaction.requested_at + SCAN_TIME
        return transaction.requested_at + timedelta(minutes=self.expiry_minutes) + GRACE

    # ------------------------------------------------------------------
    # The round: one question for all open payments
    # ------------------------------------------------------------------

    def _claim_round(self, who):
        """Make the calling process the one that asks about the open payments of this account.

        :param str who: the process
        :return: courier.Questions; None when nothing is open or another process asks
        """
        self.ensure_one()
        rows = self.env['qfpay.transaction'].search(
            [('account_id', '=', self.id), ('state', 'in', ('sent', 'pending', 'unknown'))],
            order='id',
        )
        if not rows or not self.exists() or not self._is_set_up():
            self.env['qfpay.account.pulse']._end_round(self, who)
            return None
        if not self.env['qfpay.account.pulse']._hold_round(self, who):
            return None
        now = self.env['qfpay.transaction']._clock()
        lapsed = rows.filtered(
            lambda row: row.deadline < now and row.kind == 'payment' and not row.lapsed
        )
        lapsed.lapsed = True
        references = rows.mapped('reference')
        gateway = self._gateway()
        since = _moment(min(rows.mapped('requested_at')))
        return courier.Questions(
            ask=lambda: gateway.query(references, since=since),
            rows={row.reference: row.id for row in rows},
            known={row.id: row._verdicts_without_news(now) for row in rows},
            lapsed=lapsed.ids,
        )

    # ------------------------------------------------------------------
    # Notifications
    # ------------------------------------------------------------------

    def _take_notification(self, raw, signature):
        """Tell the ledger what QFPay reports.

        Each in a transaction of its own, run again at once when another witness got in its way.

        :param bytes raw: the body as it came
        :param str signature: its header
        :raise NotificationRefused: it is not QFPay's
        """
        self.ensure_one()
        if not self.client_key:
            raise NotificationRefused('The account has no key.', 'signature')
        report = read_notification(raw, signature, ClientKey(self.client_key))
        courier.transact(
            self.env.cr.dbname,
            lambda env: env['qfpay.transaction']._hear(env[self._name].browse(self.id), report),
        )

    # ------------------------------------------------------------------
    # What a manager does
    # ------------------------------------------------------------------

    def action_test(self):
        """Ask about a number that was never used, and say what is wrong, if anything."""
        self.ensure_one()
        self.check_access('write')
        found = self._gateway().test_connection()
        if found.problem is None:
            return notice(
                'success', self.env._('QFPay answers for "%(account)s".', account=self.name)
            )
        return notice('danger', self._explain_problem(found))

    def _explain_problem(self, found):
        """The sentence for what a test of the connection found.

        :param qfpay.openapi.gateway.Diagnosis found: its `problem` decides
        """
        said = found.message or found.code
        sentences = {
            'network': self.env._(
                'QFPay cannot be reached. Check the internet connection of the Odoo server and '
                'its firewall.'
            ),
            'tls': self.env._(
                "The connection is not safe: the certificate is not QFPay's, or the clock of the "
                'Odoo server is wrong.'
            ),
            'address': self.env._(
                'Somebody answers there who is not QFPay. Check the environment and the address.'
            ),
            'answer': self.env._(
                'The answer is not signed with this client key. Copy the key again, or choose the '
                'other signature type.'
            ),
            'app_code': self.env._(
                'QFPay does not know this app code in this environment. Copy it again and check '
                'the environment.'
            ),
            'client_key': self.env._(
                'QFPay finds our signature wrong. Copy the client key again and check the '
                'environment and the signature type.'
            ),
            'merchant': self.env._(
                'QFPay does not accept the merchant ID (%(said)s). Enter it exactly as QFPay gave '
                'it to you; leave it empty if it gave you none.',
                said=said,
            ),
            'clock': self.env._(
                "The clock of the Odoo server differs from QFPay's by %(minutes)s minutes. Set "
                'it right, or QFPay refuses payments.',
                minutes=round(abs(found.skew or 0) / 60),
            ),
            'busy': self.env._('Too many requests at the moment. Try again in a minute.'),
        }
        return sentences.get(
            found.problem, self.env._('QFPay is in trouble (%(said)s). Try later.', said=said)
        )


class QFPayAccountPulse(models.Model):
    """What the processes and servers of a database share about an account."""

    _name = 'qfpay.account.pulse'
    _description = 'QFPay Account Pulse'
    _log_access = False

    # QFPay allows 100 requests a second and 400 a minute (the protocol, B11). A bucket of BURST
    # slots that refills with PACE slots a second gives at most 95 in any second and 390 in any
    # minute. `spent_until` is when the bucket would be full again.
    BURST = 90
    PACE = 5.0
    # A process that has not asked for so long has died.
    ROUND_LEASE = 45

    account_id = fields.Many2one('qfpay.account', required=True, ondelete='cascade')
    spent_until = fields.Datetime()
    asker = fields.Char()
    asked_until = fields.Datetime()

    _account_unique = models.Constraint('UNIQUE (account_id)')

    @api.model
    def _ensure(self, account):
        self.env.cr.execute(
            'INSERT INTO qfpay_account_pulse (account_id) VALUES (%s) ON CONFLICT DO NOTHING',
            [account.id],
        )

    @api.model
    def _take_slot(self, account):
        """One request of the account's budget.

        :return: seconds to wait before asking again; 0 when the slot is taken
        """
        self._ensure(account)
        self.env.cr.execute(
            """
            UPDATE qfpay_account_pulse
               SET spent_until = GREATEST(spent_until, clock_timestamp() AT TIME ZONE 'UTC')
                   + %(slot)s * interval '1 second'
             WHERE account_id = %(account)s
               AND (spent_until IS NULL OR spent_until
                    <= clock_timestamp() AT TIME ZONE 'UTC' + %(depth)s * interval '1 second')
            """,
            {
                'account': account.id,
                'slot': 1 / self.PACE,
                'depth': (self.BURST - 1) / self.PACE,
            },
        )
        return 0 if self.env.cr.rowcount else 1 / self.PACE

    @api.model
    def _hold_round(self, account, who):
        """Whether `who` is the one that asks about the open payments, from now for a while."""
        self._ensure(account)
        self.env.cr.execute(
            """
            UPDATE qfpay_account_pulse
               SET asker = %(who)s,
                   asked_until = (now() AT TIME ZONE 'UTC') + %(lease)s * interval '1 second'
             WHERE account_id = %(account)s
               AND (asker = %(who)s OR asked_until IS NULL
                    OR asked_until < now() AT TIME ZONE 'UTC')
            """,
            {'account': account.id, 'who': who, 'lease': self.ROUND_LEASE},
        )
        return bool(self.env.cr.rowcount)

    @api.model
    def _end_round(self, account, who):
        """Nothing is open: another process need not wait for the lease to run out."""
        self.env.cr.execute(
            """
            UPDATE qfpay_account_pulse SET asked_until = NULL
             WHERE account_id = %s AND asker = %s AND asked_until IS NOT NULL
            """,
            [account.id, who],
        )


def _wait_for_slot(db_name, account_id):
    """Wait until the account may make one more request; for threads that may wait.

    :raise RateLimited: the budget stayed spent for too long
    """
    ends_at = time.monotonic() + SLOT_PATIENCE
    while pause := courier.transact(
        db_name,
        lambda env: env['qfpay.account.pulse']._take_slot(env['qfpay.account'].browse(account_id)),
    ):
        if time.monotonic() > ends_at:
            raise RateLimited('The budget of requests to QFPay is spent.')
        time.sleep(pause)


def _moment(naive):
    """Odoo's UTC without a zone, as a moment with one."""
    return naive.replace(tzinfo=timezone.utc)
