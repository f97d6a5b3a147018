"""Orders as a till's browser would send them, without the browser."""

from __future__ import annotations

import uuid
from typing import Any

from clients import Rpc, wait_for

FINAL = ('done', 'failed', 'cancelled')


def age(odoo: Any, payment_uuid: str, seconds: float) -> None:
    """Let everything that was heard about a line be so much older, on every clock."""
    odoo.sql(
        """
        UPDATE qfpay_testimony word
           SET at = word.at - %s * interval '1 second', tick = word.tick - %s,
               again_at = word.again_at - %s * interval '1 second',
               again_tick = word.again_tick - %s, asked_tick = word.asked_tick - %s
          FROM qfpay_transaction row
         WHERE row.id = word.transaction_id AND row.payment_uuid = %s
        """,
        seconds,
        seconds,
        seconds,
        seconds,
        seconds,
        payment_uuid,
    )
    odoo.sql(
        """
        UPDATE qfpay_transaction
           SET requested_at = requested_at - %s * interval '1 second', tick = tick - %s,
               next_step_at = next_step_at - %s * interval '1 second'
         WHERE payment_uuid = %s
        """,
        seconds,
        seconds,
        seconds,
        payment_uuid,
    )


class Counter:
    """One till as the server sees it: it synchronises draft orders and knocks at the doors.

    ``till`` is the name of the ``pos.config``; its register is opened when it is closed.
    """

    def __init__(self, rpc: Rpc, till: str = 'Till 1', method: str = 'Visa/Mastercard') -> None:
        self.rpc = rpc
        (config,) = rpc.find('pos.config', ('name', '=', till), fields=('current_session_id',))
        if not config['current_session_id']:
            rpc.call('pos.config', 'open_ui', [config['id']])
            (config,) = rpc.find('pos.config', ('name', '=', till), fields=('current_session_id',))
        self.session_id = config['current_session_id'][0]
        (session,) = rpc.call('pos.session', 'read', [self.session_id], ['state'])
        if session['state'] == 'opening_control':
            rpc.call('pos.session', 'set_opening_control', [self.session_id], 0, '')
        (self.product,) = rpc.find(
            'product.product', ('available_in_pos', '=', True), fields=('id',), limit=1
        )
        (self.method,) = rpc.find(
            'pos.payment.method', ('name', '=', method), fields=('id',), limit=1
        )

    def order(self, amount: float, refunded_line: int = 0) -> tuple[str, dict[str, Any]]:
        """Synchronise a draft order with one QFPay line; answer the line's uuid and the order."""
        payment_uuid = str(uuid.uuid4())
        line = {
            'product_id': self.product['id'],
            'qty': 1 if amount > 0 else -1,
            'price_unit': abs(amount),
            'price_subtotal': amount,
            'price_subtotal_incl': amount,
            'uuid': str(uuid.uuid4()),
            'tax_ids': [],
        }
        if refunded_line:
            line['refunded_orderline_id'] = refunded_line
        payment = {
            'uuid': payment_uuid,
            'amount': amount,
            'payment_method_id': self.method['id'],
            'payment_status': 'waiting',
        }
        order = {
            'uuid': str(uuid.uuid4()),
            'access_token': str(uuid.uuid4()),
            'session_id': self.session_id,
            'state': 'draft',
            'amount_total': amount,
            'amount_tax': 0,
            'amount_paid': 0,
            'amount_return': 0,
            'is_refund': amount < 0,
            'lines': [(0, 0, line)],
            'payment_ids': [(0, 0, payment)],
        }
        return payment_uuid, self.rpc.call('pos.order', 'sync_from_ui', [order])

    def forget(self, payment_uuid: str) -> None:
        """Remove the order of a line for which nothing was sent: no till shall take it up."""
        (payment,) = self.rpc.find(
            'pos.payment', ('uuid', '=', payment_uuid), fields=('pos_order_id',)
        )
        self.rpc.call('pos.order', 'unlink', [payment['pos_order_id'][0]])

    def start(self, payment_uuid: str, auth_code: str = '') -> dict[str, Any]:
        """Ask for the line's money, with the customer's code if one was scanned."""
        return self.rpc.post(
            '/pos_payment_qfpay/start', payment_uuid=payment_uuid, auth_code=auth_code
        )

    def cancel(self, payment_uuid: str) -> dict[str, Any]:
        """Call the line's payment off; the door's answer."""
        return self.rpc.post('/pos_payment_qfpay/cancel', payment_uuid=payment_uuid)

    def status(self, payment_uuid: str, *, inquire: bool = False) -> dict[str, Any]:
        """How the line stands."""
        answer = self.rpc.post(
            '/pos_payment_qfpay/status',
            payment_uuids=[payment_uuid],
            inquire=inquire,
            refundable=True,
        )
        return answer['payments'][0]

    def pay(self, amount: float) -> str:
        """Synchronise an order and ask for its money; answer the line's uuid."""
        payment_uuid, _order = self.order(amount)
        answer = self.start(payment_uuid)
        assert 'payment' in answer, answer
        return payment_uuid

    def wait_state(self, payment_uuid: str, *states: str, seconds: float = 60) -> dict[str, Any]:
        """Wait until the line is in one of ``states`` (any final one when none is named)."""
        wanted = states or FINAL

        def reached() -> dict[str, Any] | None:
            status = self.status(payment_uuid)
            return status if status['state'] in wanted else None

        return wait_for(reached, seconds, f'{payment_uuid} did not become {wanted}')
