"""``make bench``: this addon beside Odoo's own pos_qfpay, measured in one run.

Both modules are installed in one database and served by one Odoo, at one till in one browser
window, with one simulated terminal. Payments alternate between the two, so that whatever else the
machine does hits both; the first ones are thrown away, and medians are compared.
"""
