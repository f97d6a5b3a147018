"""Payment methods that a QFPay terminal serves.

The names that Odoo is about to rename (`use_payment_terminal`, `payment_method_type`) are used in
this file only; the rest of the server side asks `_qfpay_provider()`.
"""

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..qfpay.ecr.message import CHANNELS
from ..qfpay.openapi.catalogue import PAY_TYPES, Mode, code_forms

ECR = 'qfpay_ecr'
OPENAPI = 'qfpay_openapi'
PROVIDERS = {ECR: 'ecr', OPENAPI: 'openapi'}


class PosPaymentMethod(models.Model):
    _inherit = 'pos.payment.method'

    qfpay_ecr_channel = fields.Selection(
        selection='_get_qfpay_ecr_channels',
        string='QFPay Channel',
        help='What the terminal asks the customer for. The till decides on which terminal.',
    )
    qfpay_account_id = fields.Many2one(
        comodel_name='qfpay.account',
        string='QFPay Account',
        check_company=True,
        ondelete='restrict',
        help='The merchant account that takes the money.',
    )
    qfpay_pay_type = fields.Selection(
        selection='_get_qfpay_pay_types',
        string='QFPay Wallet',
        help='Which wallet, and whether the till shows the code or scans it.',
    )
    qfpay_mode = fields.Selection(
        selection=[
            ('show', 'The till shows a code'),
            ('scan', "The till scans the customer's code"),
        ],
        compute='_compute_qfpay_mode',
    )
    qfpay_code_forms = fields.Json(
        compute='_compute_qfpay_mode',
        help='For the till: the wallets whose codes can be scanned, and how these codes look.',
    )
    qfpay_setup_hint = fields.Text(string='Still Missing', compute='_compute_qfpay_setup_hint')

    def _get_payment_terminal_selection(self):
        return super()._get_payment_terminal_selection() + [
            (ECR, self.env._('QFPay terminal')),
            (OPENAPI, self.env._('QFPay code (no terminal)')),
        ]

    @api.model
    def _get_qfpay_ecr_channels(self):
        words = {
            'card_payment': self.env._('Visa / Mastercard'),
            'unionpay_card': self.env._('UnionPay card'),
            'amex_card': self.env._('American Express'),
            'wx': self.env._('WeChat Pay'),
            'alipay': self.env._('Alipay'),
            'payme': self.env._('PayMe'),
            'union': self.env._('UnionPay QuickPass'),
            'fps': self.env._('FPS'),
            'octopus': self.env._('Octopus'),
        }
        return [(channel, words[channel]) for channel in CHANNELS]

    @api.model
    def _load_pos_data_fields(self, config):
        return super()._load_pos_data_fields(config) + [
            'qfpay_code_forms',
            'qfpay_ecr_channel',
            'qfpay_mode',
            'qfpay_pay_type',
        ]

    @api.model
    def _get_qfpay_pay_types(self):
        words = {
            'Alipay': self.env._('Alipay'),
            'Alipay (Hong Kong merchants)': self.env._('Alipay (Hong Kong merchants)'),
            'WeChat Pay': self.env._('WeChat Pay'),
            'WeChat Pay (Hong Kong, direct settlement)': self.env._(
                'WeChat Pay (Hong Kong, direct settlement)'
            ),
            'PayMe': self.env._('PayMe'),
            'UnionPay QuickPass': self.env._('UnionPay QuickPass'),
            'FPS': self.env._('FPS'),
            'Octopus': self.env._('Octopus'),
            'any wallet': self.env._('Any wallet'),
        }
        modes = {
            Mode.MPM: self.env._('show a code'),
            Mode.CPM: self.env._("scan the customer's code"),
        }
        return [
            (
                code,
                self.env._('%(wallet)s: %(mode)s', wallet=words[kind.label], mode=modes[kind.mode]),
            )
            for code, kind in PAY_TYPES.items()
            if kind.mode in modes
        ]

    @api.depends('qfpay_pay_type')
    def _compute_qfpay_mode(self):
        modes = {Mode.MPM: 'show', Mode.CPM: 'scan'}
        for method in self:
            kind = PAY_TYPES.get(method.qfpay_pay_type)
            method.qfpay_mode = modes[kind.mode] if kind else False
            method.qfpay_code_forms = code_forms(method.qfpay_pay_type)

    @api.depends('name', 'config_ids.qfpay_terminal_id.model', 'qfpay_ecr_channel')
    def _compute_qfpay_setup_hint(self):
        for method in self:
            gaps = []
            if method.qfpay_ecr_channel:
                gaps = method.config_ids._explain_qfpay_gaps(methods=method)
            method.qfpay_setup_hint = '\n'.join(gaps)

    @api.onchange('use_payment_terminal')
    def _onchange_use_payment_terminal(self):
        result = super()._onchange_use_payment_terminal()
        if self.use_payment_terminal != ECR:
            self.qfpay_ecr_channel = False
        if self.use_payment_terminal != OPENAPI:
            self.qfpay_account_id = self.qfpay_pay_type = False
        return result

    @api.onchange('qfpay_ecr_channel')
    def _onchange_qfpay_ecr_channel(self):
        if self.qfpay_ecr_channel and not self.name:
            self.name = dict(self._get_qfpay_ecr_channels())[self.qfpay_ecr_channel]

    @api.constrains('use_payment_terminal', 'qfpay_ecr_channel')
    def _check_qfpay_ecr_channel(self):
        for method in self:
            if method.use_payment_terminal == ECR and not method.qfpay_ecr_channel:
                raise ValidationError(
                    self.env._(
                        'Choose the QFPay channel of payment method "%(method)s": what should the '
                        'terminal ask the customer for?',
                        method=method.name,
                    )
                )

    @api.constrains('qfpay_account_id', 'company_id')
    def _check_qfpay_company(self):
        # Odoo does not check the companies of payment methods by itself.
        self._check_company(['qfpay_account_id'])

    @api.constrains('use_payment_terminal', 'qfpay_account_id', 'qfpay_pay_type')
    def _check_qfpay_account(self):
        for method in self:
            incomplete = not method.qfpay_account_id or not method.qfpay_pay_type
            if method.use_payment_terminal == OPENAPI and incomplete:
                raise ValidationError(
                    self.env._(
                        'Choose the QFPay account and the wallet of payment method "%(method)s".',
                        method=method.name,
                    )
                )

    @api.constrains('use_payment_terminal', 'config_ids', 'qfpay_pay_type')
    def _check_qfpay_currency(self):
        self.filtered(lambda method: method._qfpay_provider()).config_ids._check_qfpay_currency()

    def _qfpay_provider(self):
        """Which of QFPay's languages this method speaks: 'ecr', or False for other methods."""
        self.ensure_one()
        return PROVIDERS.get(self.use_payment_terminal, False)

    def _qfpay_channel(self):
        """What this method asks QFPay for: a channel of the terminal, or a pay type."""
        return self.qfpay_ecr_channel if self._qfpay_provider() == 'ecr' else self.qfpay_pay_type

    @api.model
    def _qfpay_channel_label(self, channel):
        """The name of a channel or pay type, as cashiers know it."""
        known = {**dict(self._get_qfpay_ecr_channels()), **dict(self._get_qfpay_pay_types())}
        return known.get(channel, channel)

    def _qfpay_fields_to_start(self):
        """The fields that the start of a payment reads."""
        return ['qfpay_account_id', 'qfpay_ecr_channel', 'qfpay_pay_type']
