{
    'name': 'QFPay bench probe',
    'version': '19.0.1.0.0',
    'author': 'POS QFPay contributors',
    'license': 'LGPL-3',
    'summary': "Tells the bench what the server's process has used; never installed in a database",
    'depends': ['base'],
    'installable': True,
}
