"""The POS in a browser, with the simulator's terminal at the till."""

from odoo.tests import tagged

from .common import TourCase


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestTours(TourCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._lend('lent_press', cls._press)

    @classmethod
    def _press(cls, button):
        """Press a button on the terminal; it takes one only while it waits for the customer."""
        return cls._could(cls.simulator.press, button)

    def _charged(self):
        """References of the payments that the terminal took money for, as often as it did."""
        return [
            trade['reference']
            for trade in self.simulator.trades()
            if trade['kind'] == 'payment' and trade['respcd'] == '0000'
        ]

    def assertPaid(self, payment, row):
        """The payment, the ledger and the terminal's book agree, and the order is validated."""
        self.assertEqual(row.state, 'done')
        self.assertEqual(row.pos_payment_id, payment)
        self.assertEqual(row.amount, payment.amount)
        self.assertEqual(payment.payment_status, 'done')
        self.assertEqual(payment.qfpay_confirmation, 'confirmed')
        self.assertTrue(row.syssn)
        self.assertEqual(payment.transaction_id, row.syssn)
        self.assertEqual(payment.payment_ref_no, row.chnlsn)
        self.assertEqual(payment.card_brand, 'VISA')
        self.assertEqual(payment.pos_order_id.state, 'paid')
        self.assertEqual(self._charged(), [row.reference])

    def test_sale(self):
        self._run_tour('qfpay_sale')
        payment = self._payments(self.card)
        self.assertPaid(payment, self._rows())
        self.assertEqual(payment.amount, 45.5)

    def test_decline_and_retry(self):
        self._run_tour('qfpay_decline_and_retry')
        payment = self._payments(self.card)
        declined, paid = self._rows()
        self.assertEqual(declined.state, 'failed')
        self.assertPaid(payment, paid)
        self.assertEqual(declined.reference, f'{payment.uuid}-1')
        self.assertEqual(paid.reference, f'{payment.uuid}-2')

    def test_call_off(self):
        self._run_tour('qfpay_call_off')
        self.assertEqual(self._rows().state, 'cancelled')
        self.assertFalse(self._payments(self.card))
        self.assertFalse(self._charged())

    def test_remove_line(self):
        self._run_tour('qfpay_remove_line')
        self.assertEqual(self._rows().state, 'cancelled')
        self.assertFalse(self._charged())

    def test_call_off_too_late(self):
        self.simulator.set(processing=4)
        self._run_tour('qfpay_call_off_too_late')
        self.assertPaid(self._payments(self.card), self._rows())

    def test_answer_lost(self):
        self.simulator.set(fault='silent_after_charge', fault_count=1)
        self._run_tour('qfpay_answer_lost')
        self.assertPaid(self._payments(self.card), self._rows())
        self.assertEqual(self._rows().state_source, 'inquiry')

    def test_refund(self):
        self._run_tour('qfpay_refund')
        paid, refunded = self._payments(self.card)
        paid_row, refund_row = self._rows()
        self.assertPaid(paid, paid_row)
        self.assertEqual(refund_row.kind, 'refund')
        self.assertEqual(refund_row.state, 'done')
        self.assertEqual(refund_row.original_id, paid_row)
        self.assertEqual(refunded.amount, -45.5)
        self.assertEqual(refunded.payment_status, 'done')
        self.assertEqual(refunded.transaction_id, refund_row.syssn)
        self.assertEqual(refunded.pos_order_id.state, 'paid')

    def test_reload(self):
        self._run_tour('qfpay_reload')
        self.assertPaid(self._payments(self.card), self._rows())

    def test_leave_and_come_back(self):
        self._run_tour('qfpay_leave_and_come_back')
        self.assertPaid(self._payments(self.card), self._rows())

    def test_browser_dies(self):
        """The customer pays when the browser is gone; a till that opens the session finds it."""
        self._run_tour('qfpay_walk_away')
        payment = self._payments(self.card)
        self.wait(lambda: self._press('approve'), 'the terminal to take the card')
        self.wait(lambda: self.row(payment).state == 'done', 'the payment to be done')
        self.assertEqual(payment.payment_status, 'done')
        self.assertEqual(payment.pos_order_id.state, 'draft')
        self._run_tour('qfpay_second_till')
        self.assertPaid(payment, self._rows())
