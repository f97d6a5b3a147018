from odoo import models


class IrModuleModule(models.Model):
    _inherit = 'ir.module.module'

    def button_uninstall(self):
        # before anything is touched: the hook would refuse it, too, but much later
        if 'pos_payment_qfpay' in self.mapped('name'):
            self.env['qfpay.transaction'].sudo()._check_may_be_uninstalled()
        return super().button_uninstall()
