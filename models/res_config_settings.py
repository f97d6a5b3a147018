from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    pos_qfpay_terminal_id = fields.Many2one(
        related='pos_config_id.qfpay_terminal_id',
        readonly=False,
        check_company=True,
    )
    pos_qfpay_setup_hint = fields.Text(
        string='Still Missing', compute='_compute_pos_qfpay_setup_hint'
    )

    @api.depends('pos_config_id', 'pos_qfpay_terminal_id', 'pos_payment_method_ids')
    def _compute_pos_qfpay_setup_hint(self):
        for settings in self:
            gaps = settings.pos_config_id._explain_qfpay_gaps(
                settings.pos_qfpay_terminal_id, settings.pos_payment_method_ids
            )
            settings.pos_qfpay_setup_hint = '\n'.join(gaps)
