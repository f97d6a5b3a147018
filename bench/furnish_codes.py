"""Run in Odoo's shell on a copy of the furnished shop: an account, and lines that wait to be paid.

Makes a method that shows codes, pos_qfpay's method beside it, and WAITING draft orders with a line
each, at CODE_TILLS tills. The account points at nothing until the bench writes its gateway's
address.
"""

from bench.constants import CODE_TILLS, NOTIFICATION_KEY, PRODUCT, WAITING
from tools.server import APP_CODE, CLIENT_KEY

env = globals()['env']

tills = env['pos.config'].create([{'name': f'Code till {n + 1}'} for n in range(CODE_TILLS)])
cashier = env['res.users'].search([('login', '=', 'cashier')])
product = env['product.product'].search([('name', '=', PRODUCT)], limit=1)
journal = env['account.journal'].search([('code', '=', 'QFPAY')], limit=1)
account = env['qfpay.account'].create(
    {
        'name': 'Bench',
        'app_code': APP_CODE,
        'client_key': CLIENT_KEY,
        'environment': 'custom',
        'custom_url': 'http://127.0.0.1:1',
    }
)
common = {
    'journal_id': journal.id,
    'payment_method_type': 'terminal',
    'config_ids': tills.ids,
}
method = env['pos.payment.method'].create(
    {
        **common,
        'name': 'Bench code',
        'use_payment_terminal': 'qfpay_openapi',
        'qfpay_account_id': account.id,
        'qfpay_pay_type': '800201',
    }
)
env['pos.payment.method'].create(
    {
        **common,
        'name': 'Bench official',
        'use_payment_terminal': 'qfpay',
        'qfpay_terminal_ip_address': '127.0.0.1',
        'qfpay_pos_key': 'f46b1f08bec1f39104792cc79ec9aacd',
        'qfpay_notification_key': NOTIFICATION_KEY,
        'qfpay_payment_type': 'card_payment',
    }
)
sessions = []
for till in tills:
    session = env['pos.session'].create({'config_id': till.id, 'user_id': cashier.id})
    if session.state == 'opening_control':
        session.set_opening_control(0, '')
    sessions.append(session)
# each line in an order of its own, the tills in turns
orders = env['pos.order'].create(
    [
        {
            'session_id': sessions[number % len(sessions)].id,
            'company_id': tills.company_id.id,
            'user_id': cashier.id,
            'amount_tax': 0,
            'amount_total': 1,
            'amount_paid': 0,
            'amount_return': 0,
            'lines': [
                (
                    0,
                    0,
                    {
                        'product_id': product.id,
                        'name': product.name,
                        'qty': 1,
                        'price_unit': 1,
                        'price_subtotal': 1,
                        'price_subtotal_incl': 1,
                    },
                )
            ],
        }
        for number in range(WAITING)
    ]
)
env['pos.payment'].create(
    [{'pos_order_id': order.id, 'amount': 1, 'payment_method_id': method.id} for order in orders]
)
env.cr.commit()
