import json
from decimal import Decimal

from odoo.addons.pos_payment_qfpay.qfpay.ecr.cipher import PosKey
from odoo.addons.pos_payment_qfpay.qfpay.ecr.message import (
    CHANNELS,
    CancelRequest,
    Inquiry,
    Payment,
    PrintReceipt,
    PrintSummary,
    Refund,
    body,
)
from odoo.tests import TransactionCase, tagged

from ..tests_pure.qfpay.ecr.vectors import KEY16, KEY32, SYSSN


def _as_from_a_browser(amount):
    """JavaScript has one kind of number, and writes 10.0 as 10."""
    return int(amount) if amount == int(amount) else float(amount)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestEcrOfficial(TransactionCase):
    """What leaves this addon is byte for byte what Odoo's own pos_qfpay sends.

    Real terminals are known to understand that module. Its payloads come from a browser as JSON,
    so a number is an int or a float there, a Decimal here.
    """

    def official(self, key, content):
        method = self.env['pos.payment.method'].new(
            {'name': 'QFPay', 'use_payment_terminal': 'qfpay', 'qfpay_pos_key': key}
        )
        payload = {
            name: _as_from_a_browser(value) if isinstance(value, Decimal) else value
            for name, value in content.items()
        }
        return method.qfpay_sign_request(payload)

    def test_ciphertexts(self):
        if 'qfpay_pos_key' not in self.env['pos.payment.method']._fields:
            self.skipTest("Odoo's own pos_qfpay is not installed beside this addon")
        commands = [
            Refund(SYSSN),
            Refund(SYSSN, 5),
            Refund(SYSSN, 1010),
            PrintReceipt(SYSSN),
            PrintSummary(),
            Inquiry(syssn=SYSSN),
            Inquiry(reference='5f0e4b5e-0001-1'),
            Inquiry(SYSSN, '5f0e4b5e-0001-1'),
            CancelRequest(),
        ]
        for channel in CHANNELS:
            for minor in (1, 10, 99, 100, 1010, 2000, 123456, 2**31 - 1):
                commands.append(Payment(minor, channel, f'5f0e4b5e--{minor}--7'))
            commands.append(Payment(1010, channel, 'A', 60, camera_id=1, move_to_back=False))
        contents = [command.content() for command in commands]
        contents.append({'func_type': 1002, 'orderId': SYSSN, 'refund_amount': None})
        for key in (KEY16, KEY16 + KEY16[:8], KEY32):
            for content in contents:
                with self.subTest(content, key=key):
                    sent = json.loads(body(content, PosKey(key)))
                    self.assertEqual(sent, self.official(key, content))
