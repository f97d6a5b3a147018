"""Run in Odoo's shell on a base database: a Hong Kong company, before any accounting exists."""

env = globals()['env']

hong_kong = env.ref('base.hk')
hkd = env.ref('base.HKD')
hkd.active = True
company = env.ref('base.main_company')
company.write(
    {
        'name': 'Harbour Goods Ltd',
        'street': 'Shop 12, 88 Queen’s Road Central',
        'city': 'Hong Kong',
        'country_id': hong_kong.id,
        'currency_id': hkd.id,
        'phone': '+852 2345 6789',
        'email': 'shop@example.com',
    }
)
# Everything in the database, so that copying it copies all there is.
env['ir.config_parameter'].set_param('ir_attachment.location', 'db')
env['ir.attachment'].force_storage()
env['res.users'].search([]).tz = 'Asia/Hong_Kong'
env.cr.commit()
