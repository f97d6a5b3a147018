from odoo.tests import tagged

from .common import ShopCase


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestSession(ShopCase):
    """The end of the day: nothing is taken for granted that QFPay has not confirmed."""

    def test_qfpay_is_asked_once_more(self):
        """What failed may have been paid after all, and it is not yet too late to see it."""
        failed = self.row_in('failed')
        done = self.paid()
        self.env.flush_all()
        self.till.current_session_id.get_closing_control_data()
        self.env.invalidate_all()
        self.assertTrue(failed.urgent)
        self.assertLessEqual(failed.next_step_at, self.env['qfpay.link']._clock())
        self.assertFalse(done.urgent)
