"""Run in Odoo's shell once the addon is installed: two QFPay terminals, an account of the OpenAPI,
and what they take.

Ports and credentials are the simulator's defaults; who starts a simulator on other ports writes
them on the terminals and the account afterwards.
"""

env = globals()['env']

METHODS = {
    'card_payment': 'Visa/Mastercard',
    'unionpay_card': 'UnionPay',
    'amex_card': 'American Express',
    'alipay': 'Alipay',
    'wx': 'WeChat Pay',
    'payme': 'PayMe',
    'union': 'UnionPay QR',
    'fps': 'FPS',
    'octopus': 'Octopus',
}
# Without a terminal: the pay types, by whose phone they are paid with.
CODES = {
    '800101': 'Alipay code',
    '800201': 'WeChat code',
    '805801': 'PayMe code',
    '802001': 'FPS code',
    '800008': 'Scan wallet',
}
# Printed in QFPay's documentation as the terminal's default.
POS_KEY = 'f46b1f08bec1f39104792cc79ec9aacd'
# What the simulator's gateway knows.
APP_CODE = 'ABCDEF0123456789ABCDEF0123456789'
CLIENT_KEY = '0123456789ABCDEF0123456789ABCDEF'

company = env.ref('base.main_company')
tills = env['pos.config'].search([('name', 'in', ('Till 1', 'Till 2'))], order='name')
assert len(tills) == 2, tills
for number, till in enumerate(tills):
    till.qfpay_terminal_id = env['qfpay.terminal'].create(
        {
            'name': f'Terminal {number + 1}',
            'company_id': company.id,
            'host': '127.0.0.1',
            'port': 9001 + number,
            'pos_key': POS_KEY,
        }
    )

journal = env['account.journal'].create(
    {
        'name': 'QFPay',
        'code': 'QFPAY',
        'type': 'bank',
        'company_id': company.id,
    }
)
for sequence, (channel, name) in enumerate(METHODS.items(), start=10):
    env['pos.payment.method'].create(
        {
            'name': name,
            'sequence': sequence,
            'journal_id': journal.id,
            'company_id': company.id,
            'payment_method_type': 'terminal',
            'use_payment_terminal': 'qfpay_ecr',
            'qfpay_ecr_channel': channel,
            'config_ids': tills.ids,
        }
    )

account = env['qfpay.account'].create(
    {
        'name': company.name,
        'company_id': company.id,
        'environment': 'custom',
        'custom_url': 'http://127.0.0.1:9400',
        'app_code': APP_CODE,
        'client_key': CLIENT_KEY,
    }
)
for sequence, (pay_type, name) in enumerate(CODES.items(), start=20):
    env['pos.payment.method'].create(
        {
            'name': name,
            'sequence': sequence,
            'journal_id': journal.id,
            'company_id': company.id,
            'payment_method_type': 'terminal',
            'use_payment_terminal': 'qfpay_openapi',
            'qfpay_account_id': account.id,
            'qfpay_pay_type': pay_type,
            'config_ids': tills.ids,
        }
    )

# What a browser asks for first, so that no test waits for it.
BUNDLES = {
    'web.assets_frontend': ('css',),
    'web.assets_frontend_minimal': ('js',),
    'web.assets_frontend_lazy': ('js',),
    'point_of_sale.assets_prod': ('css', 'js'),
}
for bundle, kinds in BUNDLES.items():
    for kind in kinds:
        only = {'css': kind == 'css', 'js': kind == 'js'}
        getattr(env['ir.qweb']._get_asset_bundle(bundle, **only), kind)()
env.cr.commit()
