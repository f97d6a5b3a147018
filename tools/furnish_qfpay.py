"""Run in Odoo's shell once the addon is installed: two QFPay terminals and what they take.

The terminals' ports are those of the simulator's defaults; who starts a simulator on other ports
writes them on the terminals afterwards.
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
# Printed in QFPay's documentation as the terminal's default.
POS_KEY = 'f46b1f08bec1f39104792cc79ec9aacd'

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

# What a browser asks for first, so that no test waits for it.
for bundle in ('web.assets_frontend', 'web.assets_web', 'point_of_sale.assets_prod'):
    env['ir.qweb']._get_asset_nodes(bundle)
env['ir.attachment'].force_storage()
env.cr.commit()
