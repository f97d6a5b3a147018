"""What Odoo calls when the addon comes or goes."""

from .models.pos_payment_method import PROVIDERS


def uninstall_hook(env):
    """Leave payment methods that work without this addon.

    The selection `use_payment_terminal` is made by a method, so Odoo does not clear its dead
    values itself. SQL, because a method in use by an open session refuses to be written.

    :raise UserError: a payment is under way, and what becomes of it would never be known
    """
    env['qfpay.transaction']._check_may_be_uninstalled()
    env.cr.execute(
        """
        UPDATE pos_payment_method
           SET use_payment_terminal = NULL, payment_method_type = 'none'
         WHERE use_payment_terminal IN %s
        """,
        (tuple(PROVIDERS),),
    )
    env['pos.payment.method'].invalidate_model()
