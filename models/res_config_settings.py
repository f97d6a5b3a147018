from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = 'res.config.settings'

    pos_qfpay_terminal_id = fields.Many2one(
        related='pos_config_id.qfpay_terminal_id',
        readonly=False,
        check_company=True,
    )
