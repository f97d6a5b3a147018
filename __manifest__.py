{
    'name': 'POS QFPay Terminals',
    'summary': 'Take payments on QFPay terminals or by code, and never lose track of one',
    'version': '19.0.2.0.0',
    'category': 'Sales/Point of Sale',
    'author': 'POS QFPay contributors',
    'license': 'LGPL-3',
    'depends': ['point_of_sale'],
    # and pycryptodome, which pip and Debian know by different names: see hooks.py
    'external_dependencies': {
        'python': ['requests'],
    },
    'data': [
        'security/ir.model.access.csv',
        'security/qfpay_security.xml',
        'data/ir_cron.xml',
        'views/qfpay_testimony_views.xml',
        'views/qfpay_transaction_views.xml',
        'views/pos_payment_method_views.xml',
        'views/qfpay_terminal_views.xml',
        'views/qfpay_account_views.xml',
        'views/pos_config_views.xml',
        'views/pos_payment_views.xml',
        'views/res_config_settings_views.xml',
    ],
    'assets': {
        'point_of_sale._assets_pos': [
            'pos_payment_qfpay/static/src/app/**/*',
        ],
        'point_of_sale.customer_display_assets': [
            'pos_payment_qfpay/static/src/app/components/time_left/*',
            'pos_payment_qfpay/static/src/customer_display/**/*',
        ],
        'web.assets_tests': [
            'pos_payment_qfpay/static/tests/tours/**/*',
        ],
        'web.assets_unit_tests': [
            'pos_payment_qfpay/static/tests/unit/**/*',
        ],
    },
    'images': ['static/description/banner.png'],
    'pre_init_hook': 'pre_init_hook',
    'uninstall_hook': 'uninstall_hook',
}
