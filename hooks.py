"""What Odoo calls when the addon comes or goes."""

from odoo.exceptions import UserError

from .models.pos_payment_method import PROVIDERS
from .qfpay.ecr.cipher import library


def pre_init_hook(env):
    """Say what to install, where it is missing: Odoo's own check knows one name of it only.

    :raise UserError: pycryptodome is not there
    """
    try:
        library()
    except ImportError as error:
        raise UserError(
            env._(
                'POS QFPay Terminals needs the Python library pycryptodome, which is not installed '
                'on this server. Let an administrator run "pip install pycryptodome", or "apt '
                'install python3-pycryptodome" on Debian and Ubuntu; then restart Odoo and install '
                'again.'
            )
        ) from error


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
