"""Payment methods that a QFPay terminal serves.

The names that Odoo is about to rename (`use_payment_terminal`, `payment_method_type`) are used in
this file only; the rest of the server side asks `_qfpay_provider()`.
"""

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..qfpay.ecr.message import CHANNELS

ECR = 'qfpay_ecr'
PROVIDERS = (ECR,)


class PosPaymentMethod(models.Model):
    _inherit = 'pos.payment.method'

    qfpay_ecr_channel = fields.Selection(
        selection='_get_qfpay_ecr_channels',
        string='QFPay Channel',
        help='What the terminal asks the customer for. The till decides on which terminal.',
    )
    qfpay_setup_hint = fields.Text(string='Still Missing', compute='_compute_qfpay_setup_hint')

    def _get_payment_terminal_selection(self):
        return super()._get_payment_terminal_selection() + [(ECR, self.env._('QFPay terminal'))]

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
        return super()._load_pos_data_fields(config) + ['qfpay_ecr_channel']

    @api.depends('name', 'config_ids.qfpay_terminal_id.model', 'qfpay_ecr_channel')
    def _compute_qfpay_setup_hint(self):
        for method in self:
            gaps = []
            if method.qfpay_ecr_channel:
                gaps = method.config_ids._explain_qfpay_gaps(methods=method)
            method.qfpay_setup_hint = '\n'.join(gaps)

    @api.onchange('use_payment_terminal')
    def _onchange_use_payment_terminal(self):
        super()._onchange_use_payment_terminal()
        if self.use_payment_terminal != ECR:
            self.qfpay_ecr_channel = False

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

    @api.constrains('use_payment_terminal', 'config_ids')
    def _check_qfpay_currency(self):
        self.filtered(lambda method: method._qfpay_provider()).config_ids._check_qfpay_currency()

    def _qfpay_provider(self):
        """Which of QFPay's languages this method speaks: 'ecr', or False for other methods."""
        self.ensure_one()
        return {ECR: 'ecr'}.get(self.use_payment_terminal, False)
