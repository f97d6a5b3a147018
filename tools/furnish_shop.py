"""Run in Odoo's shell once the Point of Sale is installed: goods, two tills, a team."""

env = globals()['env']

GOODS = {
    'Tea': [('Jasmine Tea Tin', 68.0), ('Pu-erh Tea Cake', 238.0), ('Milk Tea Bottle', 18.0)],
    'Home': [('Porcelain Cup', 45.5), ('Bamboo Steamer', 129.9), ('Silk Fan', 88.0)],
    'Gifts': [('Star Ferry Postcard', 10.1), ('Egg Roll Box', 98.0), ('Gift Voucher', 500.0)],
}

company = env.ref('base.main_company')
assert company.currency_id.name == 'HKD', company.currency_id.name

for category_name, goods in GOODS.items():
    category = env['pos.category'].create({'name': category_name})
    for name, price in goods:
        env['product.template'].create(
            {
                'name': name,
                'type': 'consu',
                'list_price': price,
                'taxes_id': False,
                'available_in_pos': True,
                'pos_categ_ids': category.ids,
            }
        )

# The module brings a till of its own when it is installed; the shop's two take its place.
env['pos.config'].search([]).active = False
for number in (1, 2):
    journal = env['account.journal'].create(
        {
            'name': f'Cash {number}',
            'code': f'CSH{number}',
            'type': 'cash',
            'company_id': company.id,
        }
    )
    cash = env['pos.payment.method'].create(
        {
            'name': f'Cash {number}',
            'journal_id': journal.id,
            'company_id': company.id,
        }
    )
    env['pos.config'].create(
        {
            'name': f'Till {number}',
            'company_id': company.id,
            'payment_method_ids': cash.ids,
            'iface_tipproduct': False,
        }
    )

internal = env.ref('base.group_user')
team = {
    'cashier': ('Kwan Yin', env.ref('point_of_sale.group_pos_user')),
    'manager': ('Mandy Ho', env.ref('point_of_sale.group_pos_manager')),
}
for login, (name, group) in team.items():
    env['res.users'].create(
        {
            'name': name,
            'login': login,
            'password': login,
            'email': f'{login}@example.com',
            'group_ids': (internal | group).ids,
            'tz': 'Asia/Hong_Kong',
        }
    )
env.ref('base.user_admin').group_ids += env.ref('point_of_sale.group_pos_manager')
env['res.users'].search([]).tour_enabled = False
env['ir.attachment'].force_storage()
env.cr.commit()
