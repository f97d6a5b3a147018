"""A merchant account of QFPay's OpenAPI: who the shop is to QFPay, and what is asked there."""

import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

from ..qfpay.errors import InvalidRequest, NotificationRefused
from ..qfpay.masking import masked
from ..qfpay.openapi.account import Account, checked_base_url
from ..qfpay.openapi.catalogue import ENVIRONMENTS, PAY_TYPES, Mode
from ..qfpay.openapi.gateway import Gateway
from ..qfpay.openapi.message import (
    LONGEST_EXPIRY,
    QFPAY_EXPIRY,
    SHORTEST_EXPIRY,
    Cancel,
    CpmPayment,
    MpmPayment,
    Refund,
)
from ..qfpay.openapi.notification import read_notification
from ..qfpay.openapi.signature import ClientKey, SignType
from .notice import notice

# How long after its end an order may still turn out paid before it is cancelled, in seconds (B14).
GRACE = 30
# A customer's code that is not charged by then is cancelled, in seconds (B14).
SCAN_TIME = 120
# By these QFPay knows whose payment is asked about.
IDENTITY = ('app_code', 'mchid', 'environment', 'custom_url')


class QFPayAccount(models.Model):
    _name = 'qfpay.account'
    _inherit = 'qfpay.credentials.mixin'
    _description = 'QFPay Account'
    _order = 'name, id'
    _check_company_auto = True
    _qfpay_key = 'client_key'
    _qfpay_copied = ('app_code', 'client_key', 'mchid', 'custom_url')
    _qfpay_own = ('link_id', 'notify_token')
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
    fps_refunds = fields.Boolean(
        string='Refund FPS',
        help='QFPay gives FPS payments back for 29 days, though its documents say that it does '
        'not. Switch this on when QFPay has confirmed it for your shop; without it tills refuse '
        'refunds of FPS.',
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
        """Who the shop is to QFPay.

        :return: qfpay.openapi.account.Account
        :raise UserError: app code or client key are not set
        """
        self.ensure_one()
        if not self._is_set_up():
            raise UserError(self._explain_not_set_up())
        settings = self.sudo()
        return Account(
            base_url=ENVIRONMENTS.get(settings.environment) or settings.custom_url,
            app_code=settings.app_code,
            client_key=ClientKey(settings.client_key),
            merchant_id=settings.mchid or None,
            sign_type=SignType(settings.signature_type),
        )

    def _payment_request(self, row):
        """The request for a payment or a refund (the protocol, B6.1 and B8).

        :param row: of the ledger, a `qfpay.transaction`
        :raise InvalidRequest: a field cannot be sent
        """
        common = {
            'reference': row.reference,
            'amount_minor': row.amount_minor,
            'requested_at': row._requested(),
            'till': row.config_id.name,
        }
        if row.kind == 'refund':
            return Refund(**common, syssn=row.original_id.syssn)
        common.update(currency=row.currency_id.name, pay_type=row.channel)
        if PAY_TYPES[row.channel].mode is Mode.CPM:
            return CpmPayment(**common, auth_code=row.sudo().auth_code or '')
        return MpmPayment(**common, expires_minutes=self.expiry_minutes)

    def _cancel_request(self, row, way):
        """How an order is ended that nobody has paid (the protocol, B9).

        :param int way: how many ways QFPay has turned away before
        """
        return Cancel(
            path=PAY_TYPES[row.channel].cancel[way],
            pay_type=row.channel,
            amount_minor=row.amount_minor,
            requested_at=row._requested(),
            reference=row.reference,
            syssn=row.syssn or None,
            till=row.config_id.name,
        )

    def _life_of_code(self, pay_type):
        """How long QFPay lets a shown code be paid: ours, where it obeys us, else its own."""
        minutes = self.expiry_minutes
        if not PAY_TYPES[pay_type].expires:
            minutes = max(minutes, QFPAY_EXPIRY)
        return timedelta(minutes=minutes)

    def _patience(self, row, now):
        """Seconds after which an order that is sent now is cancelled, or is asked about alone.

        :param now: by the database's clock
        """
        if row.kind == 'refund' or PAY_TYPES[row.channel].mode is Mode.CPM:
            return SCAN_TIME
        ends_at = row.requested_at + self._life_of_code(row.channel)
        return (ends_at - now).total_seconds() + GRACE

    # ------------------------------------------------------------------
    # Notifications
    # ------------------------------------------------------------------

    def _take_notification(self, raw, signature):
        """Tell the ledger what QFPay reports.

        In the request's own transaction, which Odoo runs again when another witness got in its way.

        :param bytes raw: the body as it came
        :param str signature: its header
        :raise NotificationRefused: it is not QFPay's
        """
        self.ensure_one()
        if not self.client_key:
            raise NotificationRefused('The account has no key.', 'signature')
        report = read_notification(raw, signature, ClientKey(self.client_key))
        ledger = self.env['qfpay.transaction']
        if row := ledger._hear_notification(self, report, masked(report.outcome.heard)):
            row._tell_soon()

    # ------------------------------------------------------------------
    # What a manager does
    # ------------------------------------------------------------------

    def action_test(self):
        """Ask about a number that was never used, and say what is wrong, if anything."""
        self.ensure_one()
        self.check_access('write')
        found = Gateway(self._credentials()).test_connection()
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
