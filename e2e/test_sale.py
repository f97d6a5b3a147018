"""A sale from the cashier's tap to the record, nothing replaced: browser, Odoo, wire, terminal."""


def test_sale_is_paid_and_recorded(odoo_server, simulator, pos):
    till = pos('Till 1')
    till.add('Porcelain Cup')
    till.pay('Visa/Mastercard')
    simulator.wait_job()
    uuid = till.uuid()
    simulator.press('approve')
    till.wait_done()
    till.validate()
    (payment,) = odoo_server.rpc('manager').find(
        'pos.payment',
        ('uuid', '=', uuid),
        fields=('amount', 'payment_status', 'transaction_id', 'card_brand', 'card_no'),
    )
    (trade,) = simulator.trades()
    assert payment['amount'] == 45.5
    assert payment['payment_status'] == 'done'
    assert payment['transaction_id'] == trade['syssn']
    (row,) = odoo_server.sql(
        'SELECT state, amount_minor FROM qfpay_transaction WHERE payment_uuid = %s', uuid
    )
    assert row == {'state': 'done', 'amount_minor': 4550}
