from odoo import api, fields, models
from odoo.exceptions import AccessError, ValidationError

from ..cashier.start import TERMINAL_CURRENCY, accepted_currencies, fits_qfpay


class PosConfig(models.Model):
    _inherit = 'pos.config'

    qfpay_terminal_id = fields.Many2one(
        comodel_name='qfpay.terminal',
        string='QFPay Terminal',
        check_company=True,
        ondelete='restrict',
        help='The terminal that stands at this till. Its QFPay payment methods use it.',
    )

    @api.constrains('qfpay_terminal_id', 'payment_method_ids', 'journal_id', 'company_id')
    def _check_qfpay_currency(self):
        """What QFPay can take at a till (the protocol, A1 and B13)."""
        for config in self:
            if config.qfpay_terminal_id:
                config._check_qfpay_accepts((TERMINAL_CURRENCY,), self.env._('QFPay terminals'))
            for method in config.payment_method_ids:
                if provider := method._qfpay_provider():
                    accepted = accepted_currencies(provider, method._qfpay_channel())
                    config._check_qfpay_accepts(accepted, method.name)

    def _check_qfpay_accepts(self, accepted, what):
        if self.currency_id.name not in accepted:
            raise ValidationError(
                self.env._(
                    '%(what)s can take %(accepted)s only, but "%(till)s" sells in '
                    '%(till_currency)s. Remove it from this till, or give the till a sales '
                    'journal in another currency.',
                    what=what,
                    accepted=', '.join(accepted),
                    till=self.name,
                    till_currency=self.currency_id.name,
                )
            )

        if not fits_qfpay(self.currency_id):
            raise ValidationError(
                self.env._(
                    '%(what)s cannot be used at "%(till)s": Odoo rounds %(currency)s to '
                    '%(rounding)s, and QFPay counts it in other steps. Correct the rounding of the '
                    'currency.',
                    what=what,
                    till=self.name,
                    currency=self.currency_id.name,
                    rounding=self.currency_id.rounding,
                )
            )

    def write(self, vals):
        # Odoo lets cashiers write on their till; which terminal it charges is a manager's decision.
        is_manager = self.env.su or self.env.user.has_group('point_of_sale.group_pos_manager')
        if 'qfpay_terminal_id' in vals and not is_manager:
            raise AccessError(
                self.env._('Only a Point of Sale manager can choose the QFPay terminal of a till.')
            )
        return super().write(vals)

    def _explain_qfpay_gaps(self, terminal=None, methods=None):
        """What keeps QFPay payments from working at these tills.

        :param terminal: the `qfpay.terminal` to judge by; that of each till when left out
        :param methods: the `pos.payment.method` to judge; those of each till when left out
        :return: list of translated sentences for a manager, empty when all is well
        """
        gaps = []
        for config in self:
            used = config.qfpay_terminal_id if terminal is None else terminal
            served = (methods or config.payment_method_ids).filtered('qfpay_ecr_channel')
            if served and used:
                gaps += used._explain_gaps(config, served)
            elif served:
                gaps.append(
                    self.env._(
                        '"%(till)s" has no QFPay terminal yet. Choose the one that stands there '
                        '(Configuration, QFPay Terminals).',
                        till=config.name,
                    )
                )
            elif used:
                gaps.append(
                    self.env._(
                        '"%(till)s" has no payment method that uses a QFPay terminal yet.',
                        till=config.name,
                    )
                )
        return gaps
