from odoo.tests import tagged

from .common import SimulatorCase


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestDoors(SimulatorCase):
    """The doors of the cashier's till, with a terminal that really answers."""

    def test_card_sale(self):
        """A card sale turns done, and the payment carries what QFPay knows."""
        payment = self.payment(10.1)
        started = self.start(payment)['payment']
        self.assertEqual(started['state'], 'draft')
        self.status(payment)
        self.wait_for_terminal('WAIT_CUSTOMER')
        self.simulator.press('approve')
        status = self.wait_for_state(payment, 'done')
        self.assertEqual(status['message'], '')
