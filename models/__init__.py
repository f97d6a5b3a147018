from . import (
    # first: others inherit from it
    credentials_mixin,
    ir_http,
    pos_config,
    pos_order,
    pos_payment,
    pos_payment_method,
    qfpay_account,
    qfpay_terminal,
    qfpay_transaction,
    res_config_settings,
)
