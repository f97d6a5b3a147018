"""Run in Odoo's shell on the bench's database, which has both modules and the furnished shop.

Makes pos_qfpay's payment method beside ours at Till 1, and a street of 50 more tills, each with a
terminal of its own and orders that wait to be paid.
"""

from bench.constants import CUSTOMERS, NOTIFICATION_KEY, OFFICIAL, PRODUCT, ROUNDS

env = globals()['env']

PRICE = 45.5


def open_register(config):
    session = env['pos.session'].create({'config_id': config.id, 'user_id': cashier.id})
    if session.state == 'opening_control':
        session.set_opening_control(0, '')
    return session


def draft(session, method):
    """An order that was synchronised, with a payment line nobody has asked money for yet."""
    order = env['pos.order'].create(
        {
            'session_id': session.id,
            'company_id': company.id,
            'user_id': cashier.id,
            'amount_tax': 0,
            'amount_total': PRICE,
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
                        'price_unit': PRICE,
                        'price_subtotal': PRICE,
                        'price_subtotal_incl': PRICE,
                    },
                )
            ],
        }
    )
    env['pos.payment'].create(
        {
            'pos_order_id': order.id,
            'payment_method_id': method.id,
            'amount': PRICE,
            'payment_status': 'waiting',
        }
    )


company = env.ref('base.main_company')
cashier = env['res.users'].search([('login', '=', 'cashier')])
product = env['product.product'].search([('name', '=', PRODUCT)])
ours = env['pos.payment.method'].search([('qfpay_ecr_channel', '=', 'card_payment')])
till = env['pos.config'].search([('name', '=', 'Till 1')])
key = till.qfpay_terminal_id.pos_key

official = env['pos.payment.method'].create(
    {
        'name': OFFICIAL,
        'journal_id': ours.journal_id.id,
        'company_id': company.id,
        'payment_method_type': 'terminal',
        'use_payment_terminal': 'qfpay',
        'qfpay_payment_type': 'card_payment',
        'qfpay_terminal_ip_address': '127.0.0.1',
        'qfpay_pos_key': key,
        'qfpay_notification_key': NOTIFICATION_KEY,
    }
)
till.write(
    {
        'payment_method_ids': [(4, official.id)],
        # The measured payment ends before the order's validation begins.
        'auto_validate_terminal_payment': False,
    }
)
open_register(till)

for number in range(CUSTOMERS):
    terminal = env['qfpay.terminal'].create(
        {
            'name': f'Street {number}',
            'company_id': company.id,
            'host': '127.0.0.1',
            'port': 1 + number,
            'pos_key': key,
        }
    )
    config = env['pos.config'].create(
        {
            'name': f'Street {number}',
            'company_id': company.id,
            'payment_method_ids': ours.ids,
            'qfpay_terminal_id': terminal.id,
        }
    )
    session = open_register(config)
    for _round in range(ROUNDS):
        draft(session, ours)

env.cr.commit()
