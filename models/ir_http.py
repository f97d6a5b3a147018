"""Which translations a page without the back end loads."""

from odoo import models


class IrHttp(models.AbstractModel):
    _inherit = 'ir.http'

    @classmethod
    def _get_translation_frontend_modules_name(cls):
        """The customer display is such a page."""
        return super()._get_translation_frontend_modules_name() + ['pos_payment_qfpay']
