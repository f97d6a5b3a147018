import time
from unittest.mock import patch

from odoo.addons.pos_payment_qfpay import courier
from odoo.addons.pos_payment_qfpay.courier.carrying import AtTerminal
from odoo.addons.pos_payment_qfpay.qfpay.ecr.cipher import PosKey
from odoo.addons.pos_payment_qfpay.qfpay.ecr.link_http import HttpLink
from odoo.addons.pos_payment_qfpay.qfpay.ecr.message import Refund
from odoo.tests import JsonRpcException, tagged
from odoo.tools import mute_logger

from .common import POS_KEY, SimulatorCase
from .openapi_shop import OpenApiShop

TAP, NEXT_TAP = 'tap-0123456789', 'tap-9876543210'

PAID_IN_THE_END = (
    # The money moved, and the answer is lost, late, broken or says less than the truth.
    'silent_after_charge',
    'request_error_after_charge',
    'other_error_after_charge',
    'unknown_code',
    'no_data',
    'inner_pending',
    'wrong_key',
    'garbage',
    'html',
    'empty',
    'truncated',
    'http_500',
    'redirect',
    'huge',
    'flood',
)


class DoorsCase(SimulatorCase):
    def sale(self, *args, **kwargs):
        """A line whose payment waits for the customer at the terminal."""
        payment = self.payment(*args, **kwargs)
        self.assertIn('payment', self.start(payment))
        self.status(payment)
        self.wait_for_terminal('WAIT_CUSTOMER')
        return payment

    def paid_sale(self, *args, **kwargs):
        """An order that was paid at the terminal and validated."""
        payment = self.sale(*args, **kwargs)
        self.simulator.press('approve')
        self.wait_for_state(payment, 'done')
        payment.pos_order_id.action_pos_order_paid()
        return payment

    def give_back(self, payment, amount=None):
        """The line of a refund order, started.

        :return: the line and what the door said
        """
        self.env.invalidate_all()
        refund = self.refund_line(self.row(payment), amount)
        return refund, self.start(refund)

    def assert_money(self, *amounts):
        """What QFPay's own book says was moved, in cents, refunds negative."""
        moved = [trade['charged_minor'] for trade in self.simulator.trades()]
        self.assertEqual([minor for minor in moved if minor], list(amounts))


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestDoors(DoorsCase):
    """The doors of the cashier's till, with a terminal that really answers."""

    # ------------------------------------------------------------------
    # A sale
    # ------------------------------------------------------------------

    def test_card_sale(self):
        """A card sale turns done, and the payment carries what QFPay knows."""
        self.simulator.set(card={'scheme': 'MASTERCARD', 'last4': '4242', 'type': 'DEBIT'})
        payment = self.sale(10.1)
        self.assertEqual(self.status(payment)[0]['state'], 'sent')
        self.simulator.press('approve')
        status = self.wait_for_state(payment, 'done')
        trade = self.simulator.trades()[0]
        self.assertEqual(status['message'], '')
        self.assertEqual(status['amount'], 10.1)
        self.assertEqual(status['transaction_id'], trade['syssn'])
        self.assertEqual(status['payment_ref_no'], trade['chnlsn'])
        self.wait(lambda: self.row(payment).card_last4, "the card's digits")
        self.assertEqual(payment.transaction_id, trade['syssn'])
        self.assertEqual(payment.payment_ref_no, trade['chnlsn'])
        self.assertEqual(payment.card_brand, 'MASTERCARD')
        self.assertEqual(payment.card_no, '4242')
        self.assertEqual(payment.card_type, 'DEBIT')
        self.assertEqual(payment.payment_status, 'done')
        self.assertEqual(payment.qfpay_confirmation, 'confirmed')

    def test_wallet_sale(self):
        """A wallet sale names the wallet."""
        payment = self.sale(20, self.wallet)
        self.simulator.press('approve')
        self.wait_for_state(payment, 'done')
        self.assertEqual(payment.card_type, 'Alipay')
        self.assertFalse(payment.card_no)

    def test_what_the_terminal_is_asked(self):
        """The terminal is asked once, for what the server's own line says."""
        payment = self.sale(1234.5)
        self.start(payment)
        self.status(payment, payment)
        self.simulator.press('approve')
        self.wait_for_state(payment, 'done')
        (request,) = self.simulator.requests(1001)
        self.assertEqual(request['content']['amt'], 1234.5)
        self.assertEqual(request['content']['channel'], 'card_payment')
        self.assertEqual(request['content']['out_trade_no'], f'{payment.uuid}-1')
        self.assertEqual(request['content']['payment_timeout'], 120)
        self.assert_money(123450)

    def test_what_the_doors_say(self):
        """Every answer has the fields that the till is promised."""
        payment = self.payment()
        self.assertEqual(self.status(payment), [{'payment_uuid': payment.uuid, 'state': 'none'}])
        status = self.start(payment)['payment']
        promised = {
            'payment_uuid',
            'reference',
            'kind',
            'state',
            'cancelling',
            'message',
            'amount',
            'transaction_id',
            'payment_ref_no',
            'card_brand',
            'card_no',
            'card_type',
            'terminal',
            'attention',
        }
        self.assertLessEqual(promised, set(status))
        self.assertEqual(status['terminal'], 'Counter 1')
        self.assertIn('Counter 1', status['message'])

    def test_declined(self):
        """A declined card is told with QFPay's words, and can be tried again."""
        payment = self.sale()
        self.simulator.press('decline')
        status = self.wait_for_state(payment, 'failed')
        self.assertIn('payment failed', status['message'])
        self.assertEqual(payment.payment_status, 'retry')
        self.start(payment)
        self.status(payment)
        self.wait_for_terminal('WAIT_CUSTOMER')
        self.simulator.press('approve')
        self.wait_for_state(payment, 'done')
        references = [
            request['content']['out_trade_no'] for request in self.simulator.requests(1001)
        ]
        self.assertEqual(references, [f'{payment.uuid}-1', f'{payment.uuid}-2'])
        self.assert_money(1010)

    def test_customer_walks_away(self):
        """A customer who never comes, or cancels on the device, leaves a line to try again."""
        for button, state in (('timeout', 'failed'), ('cancel', 'cancelled')):
            payment = self.sale()
            self.simulator.press(button)
            status = self.wait_for_state(payment, 'failed', 'cancelled')
            self.assertEqual(status['state'], state)
            self.assertTrue(status['message'])
        self.assert_money()

    def test_terminal_that_is_off(self):
        """Nobody answers: the line failed at once, with what to do, and works when it is on."""
        self.simulator.set(reachable=False)
        payment = self.payment()
        self.start(payment)
        status = self.wait_for_state(payment, 'failed')
        self.assertIn('cannot be reached', status['message'])
        self.simulator.set(reachable=True, mode='approve')
        self.start(payment)
        self.wait_for_state(payment, 'done')
        self.assert_money(1010)

    def test_terminal_that_says_no(self):
        """Another key, busy with something else, nobody signed in: failed, with what to do."""
        self.simulator.set(pos_key='0123456789abcdef')
        payment = self.payment()
        self.start(payment)
        self.assertIn('POS-KEY', self.wait_for_state(payment, 'failed')['message'])
        self.simulator.reset()
        for fault in ('busy', 'logged_out'):
            self.simulator.set(fault=fault)
            payment = self.payment()
            self.start(payment)
            self.assertTrue(self.wait_for_state(payment, 'failed')['message'])
        self.assert_money()

    def test_no_in_the_clear(self):
        """From a terminal that encrypts it ends nothing: whoever is in the network could say so."""
        self.terminal.sudo().sealed = True
        self.simulator.set(pos_key='0123456789abcdef')
        payment = self.payment()
        self.start(payment)
        self.assertIn('Test Connection', self.wait_for_state(payment, 'unknown')['message'])
        self.assertNotEqual(payment.payment_status, 'retry')

    # ------------------------------------------------------------------
    # Lost answers
    # ------------------------------------------------------------------

    def test_money_moved_and_the_answer_was_lost(self):
        """Whatever becomes of the answer, a payment that was taken ends done, taken once."""
        self.simulator.set(mode='approve')
        for fault in PAID_IN_THE_END:
            with self.subTest(fault):
                self.simulator.set(fault=fault, fault_count=1, fault_for=[1001])
                taken = len(self.simulator.trades())
                payment = self.payment()
                self.start(payment)
                self.wait_for_state(payment, 'done')
                self.assertEqual(payment.payment_status, 'done')
                self.assertEqual(payment.qfpay_confirmation, 'confirmed')
                self.assertTrue(payment.transaction_id)
                self.assertEqual(len(self.simulator.trades()), taken + 1)
        self.assertEqual(len(self.simulator.requests(1001)), len(PAID_IN_THE_END))

    def test_answer_about_something_else(self):
        """An answer with another amount, currency or reference calls a manager; truth wins."""
        self.simulator.set(mode='approve')
        for fault in ('wrong_amount', 'wrong_currency', 'wrong_reference'):
            with self.subTest(fault):
                self.simulator.set(fault=fault, fault_count=1, fault_for=[1001])
                payment = self.payment()
                self.start(payment)
                status = self.wait_for_state(payment, 'done')
                self.assertTrue(status['attention'])

    def test_inquiries_that_answer_nonsense(self):
        """While the answer is lost and inquiries tell nothing, the line stays unknown."""
        self.simulator.set(mode='approve', fault='garbage')
        payment = self.payment()
        self.start(payment)
        status = self.wait_for_state(payment, 'unknown')
        self.assertIn('Do not charge again', status['message'])
        self.wait(lambda: self.simulator.requests(4001), 'an inquiry')
        self.assertEqual(self.status(payment)[0]['state'], 'unknown')
        self.assertNotEqual(payment.payment_status, 'retry')
        self.simulator.set(fault=None)
        self.status(payment, inquire=True)
        self.wait_for_state(payment, 'done')

    def test_connection_lost_while_the_customer_thinks(self):
        """The terminal goes on without us: nothing is sent again, and the approval is found."""
        self.simulator.set(fault='silent_before_charge', fault_count=1)
        payment = self.sale()
        self.wait_for_state(payment, 'unknown')
        self.wait(lambda: self.simulator.requests(4001), 'an inquiry')
        self.assertEqual(self.status(payment)[0]['state'], 'unknown')
        self.assertIn('payment', self.start(payment))
        self.simulator.press('approve')
        self.status(payment, inquire=True)
        self.wait_for_state(payment, 'done')
        self.assertEqual(len(self.simulator.requests(1001)), 1)
        self.assert_money(1010)

    def test_payment_confirmed_later(self):
        """The terminal gives up with an error while the bank still works: pending, then done."""
        self.simulator.set(mode='approve', fault='confirming', fault_delay=3)
        payment = self.payment()
        self.start(payment)
        self.wait_for_state(payment, 'pending')
        self.wait_for_state(payment, 'done')

    # ------------------------------------------------------------------
    # Calling off
    # ------------------------------------------------------------------

    def test_call_off(self):
        """Called off at the till: the terminal stops, nothing was taken, another try is free."""
        payment = self.sale()
        status = self.cancel(payment)['payment']
        self.assertTrue(status['cancelling'])
        status = self.wait_for_state(payment, 'cancelled')
        self.assertFalse(status['cancelling'])
        self.assertEqual(payment.payment_status, 'retry')
        self.assertEqual(self.simulator.state(), 'IDLE')
        self.assert_money()
        self.simulator.set(mode='approve')
        self.start(payment)
        self.wait_for_state(payment, 'done')

    def test_call_off_before_anything_left(self):
        """Called off before the courier set out: the terminal never hears of it."""
        self.keep_couriers_home()
        payment = self.payment()
        self.start(payment)
        self.assertEqual(self.cancel(payment)['payment']['state'], 'cancelled')
        self.assertEqual(self.status(payment)[0]['state'], 'cancelled')
        self.assertFalse(self.simulator.requests())

    def test_start_that_arrives_after_the_till_gave_up(self):
        """The terminal is not woken by it; the cashier's next tap wakes it."""
        payment = self.payment()
        self.assertEqual(self.cancel(payment, tap=TAP)['payment']['state'], 'cancelled')
        late = self.start(payment, tap=TAP)['payment']
        self.assertEqual(late['state'], 'cancelled')
        self.assertEqual(self.status(payment)[0]['state'], 'cancelled')
        self.assertFalse(self.simulator.requests())
        self.simulator.set(mode='approve')
        self.start(payment, tap=NEXT_TAP)
        self.wait_for_state(payment, 'done')
        self.assertEqual(len(self.simulator.requests(1001)), 1)

    def test_start_that_was_on_its_way_for_too_long(self):
        """By the clock that the doors tell, whatever the till's own says."""
        payment = self.payment()
        now = self.door('status', payment_uuids=[], clock=True)['now']
        self.assertEqual(self.start(payment, asked_at=now - 30)['error']['code'], 'late')
        self.assertFalse(self.simulator.requests())
        self.simulator.set(mode='approve')
        self.start(payment, asked_at=now)
        self.wait_for_state(payment, 'done')

    def test_call_off_that_comes_too_late(self):
        """Approved in that very moment: the line is done, and the cashier was told to wait."""
        self.simulator.set(processing=2)
        payment = self.sale()
        self.simulator.press('approve')
        self.wait_for_terminal('PROCESSING')
        self.cancel(payment)
        self.wait(lambda: not self.status(payment)[0]['cancelling'], 'the refusal')
        self.assertTrue(self.status(payment)[0]['message'])
        self.wait_for_state(payment, 'done')
        self.assert_money(1010)

    def test_call_off_that_the_terminal_accepts_too_late(self):
        """A terminal that says it cancels, and charges: the line is done all the same."""
        self.simulator.set(processing=2, cancel_code='6000')
        payment = self.sale()
        self.simulator.press('approve')
        self.wait_for_terminal('PROCESSING')
        self.cancel(payment)
        self.wait_for_state(payment, 'done')
        self.assert_money(1010)

    def test_payment_after_the_terminal_gave_up(self):
        """Cancelled on the terminal, and paid in QFPay's book: never free to charge again."""
        self.simulator.set(fault='late_payment', fault_delay=2)
        payment = self.sale()
        self.cancel(payment)
        status = self.wait_for_state(payment, 'pending', 'unknown', 'done')
        self.assertNotEqual(status['state'], 'cancelled')
        self.wait_for_state(payment, 'done')
        self.assert_money(1010)

    def test_call_off_of_what_is_over(self):
        """What is done, failed or was never started cannot be called off."""
        payment = self.paid_sale()
        self.assertEqual(self.cancel(payment)['payment']['state'], 'done')
        never = self.payment()
        self.assertEqual(self.cancel(never)['payment']['state'], 'none')
        self.assertFalse(self.simulator.requests(5001))

    # ------------------------------------------------------------------
    # Giving back
    # ------------------------------------------------------------------

    def test_refund(self):
        """A card payment is given back, and the negative line carries the refund's number."""
        payment = self.paid_sale(10.1)
        refund, _answer = self.give_back(payment)
        self.wait_for_state(refund, 'done')
        trade = self.simulator.trades()[1]
        self.assertEqual(refund.amount, -10.1)
        self.assertEqual(refund.transaction_id, trade['syssn'])
        self.assertEqual(refund.qfpay_confirmation, 'confirmed')
        self.assert_money(1010, -1010)

    def test_refund_in_parts(self):
        """A wallet payment is given back in two parts; a third one is refused."""
        payment = self.paid_sale(100, self.wallet)
        for amount in (30, 70):
            refund, _answer = self.give_back(payment, amount)
            self.wait_for_state(refund, 'done')
        _refund, answer = self.give_back(payment, 1)
        self.assertEqual(answer['error']['code'], 'refund')
        self.assert_money(10000, -3000, -7000)

    def test_refund_whose_answer_was_lost(self):
        """A refund that happened is found by what is left of the payment, not given twice."""
        payment = self.paid_sale(100, self.wallet)
        self.simulator.set(fault='silent_after_charge', fault_count=1)
        refund, _answer = self.give_back(payment, 30)
        self.wait_for_state(refund, 'done')
        self.simulator.set(fault='silent_after_charge', fault_count=1)
        refund, _answer = self.give_back(payment, 30)
        self.wait_for_state(refund, 'done')
        self.assertEqual(len(self.simulator.requests(1002)), 2)
        self.assert_money(10000, -3000, -3000)

    def lose_refund(self, payment, amount):
        """A refund whose request is lost on its way, and whose deadline is over."""
        self.simulator.set(fault='drop', fault_count=1, fault_for=[1002])
        refund, _answer = self.give_back(payment, amount)
        self.wait_for_state(refund, 'unknown')
        self.wait(lambda: self.simulator.requests()[-1]['func_type'] == 4001, 'an inquiry')
        self.assertEqual(self.status(refund)[0]['state'], 'unknown')
        for _question in range(3):
            # as often as "nothing is missing" must be heard
            asked = self.row(refund).asked
            self.age(self.row(refund).search([]), 185)
            self.status(refund, inquire=True)
            self.wait(
                lambda asked=asked: (
                    self.row(refund).asked != asked or self.row(refund).state != 'unknown'
                ),
                'an answer',
            )
        return self.wait_for_state(refund, 'done', 'failed')

    def test_refund_that_never_arrived(self):
        """A refund that was lost is not taken for done because an earlier one was."""
        payment = self.paid_sale(100, self.wallet)
        refund, _answer = self.give_back(payment, 30)
        self.wait_for_state(refund, 'done')
        self.assertEqual(self.lose_refund(payment, 30)['state'], 'failed')
        self.assert_money(10000, -3000)

    def test_refund_after_one_in_the_portal(self):
        """A refund that was lost is not taken for done because QFPay's portal gave money back."""
        payment = self.paid_sale(100, self.wallet)
        portal = AtTerminal(
            link=HttpLink('127.0.0.1', self.simulator.port()),
            key=PosKey(POS_KEY),
            command=Refund(payment.transaction_id, 3000),
        )
        portal.carry(lambda: None, lambda: None)
        lost = self.lose_refund(payment, 30)
        self.assertEqual(lost['state'], 'failed')
        self.assert_money(10000, -3000)
        self.assertEqual(self.row(payment).refund_ids.left_before_minor, 7000)

    def test_refund_that_waits_on_the_terminal(self):
        """A refund whose connection broke is not called failed while the terminal has it."""
        payment = self.paid_sale(100, self.wallet)
        self.simulator.set(refund='manual', fault='silent_before_charge', fault_count=1)
        refund, _answer = self.give_back(payment, 30)
        self.status(refund)
        self.wait_for_terminal('REFUNDING')
        self.wait_for_state(refund, 'unknown')
        self.wait(lambda: len(self.simulator.requests(4001)) >= 3, 'two more inquiries')
        self.assertEqual(self.status(refund)[0]['state'], 'unknown')
        self.simulator.press('approve')
        self.status(refund, inquire=True)
        self.wait_for_state(refund, 'done')
        self.assert_money(10000, -3000)

    def test_refund_that_qfpay_refuses(self):
        """QFPay's night hours: the refund failed, with QFPay's reason."""
        payment = self.paid_sale(100, self.wallet)
        self.simulator.set(refund='decline')
        refund, _answer = self.give_back(payment, 30)
        self.assertIn('refuses', self.wait_for_state(refund, 'failed')['message'])
        self.assert_money(10000)

    def test_refund_cannot_be_called_off(self):
        """The terminal is not told to cancel a refund."""
        payment = self.paid_sale(100, self.wallet)
        self.simulator.set(refund='manual')
        refund, _answer = self.give_back(payment, 30)
        self.status(refund)
        self.wait_for_terminal('REFUNDING')
        self.assertFalse(self.cancel(refund)['payment']['cancelling'])
        self.assertFalse(self.simulator.requests(5001))

    # ------------------------------------------------------------------
    # Two tills, two cashiers
    # ------------------------------------------------------------------

    def test_busy_terminal(self):
        """The second till on a terminal is told which till has it, and its turn comes."""
        self.till_2.qfpay_terminal_id = self.terminal
        first = self.sale()
        second = self.payment(till=self.till_2)
        error = self.start(second)['error']
        self.assertEqual(error['code'], 'busy')
        self.assertIn('Till 1', error['message'])
        self.assertEqual(self.status(second)[0]['state'], 'none')
        self.simulator.press('approve')
        self.wait_for_state(first, 'done')
        self.simulator.set(mode='approve')
        self.assertIn('payment', self.start(second))
        self.wait_for_state(second, 'done')
        self.assert_money(1010, 1010)

    def test_till_that_asks_takes_up(self):
        """What nobody carries is carried on when a till asks how it stands."""
        payment = self.payment()
        with patch.object(courier, 'poke'):
            self.start(payment)
        self.assertEqual(self.status(payment)[0]['state'], 'draft')
        self.wait_for_terminal('WAIT_CUSTOMER')
        self.simulator.press('approve')
        self.wait_for_state(payment, 'done')

    def test_another_cashier_takes_over(self):
        """Whoever opens the session next sees the payment go on and its end."""
        payment = self.sale()
        self.login(self.manager)
        self.assertEqual(self.status(payment)[0]['state'], 'sent')
        self.simulator.press('approve')
        self.wait_for_state(payment, 'done')

    def test_refusals_name_their_kind(self):
        """Each refusal has its code and a sentence, and starts nothing."""
        closed = self.sync(self.order(self.line(payment_status='done'), state='paid'))
        cases = {
            'amount': self.payment(0),
            'config': self.payment(method=self.cash),
            'denied': closed.payment_ids,
            'refund': self.payment(-5),
        }
        for code, payment in cases.items():
            error = self.start(payment)['error']
            self.assertEqual(error['code'], code)
            self.assertGreater(len(error['message']), 20)
            self.assertEqual(self.status(payment)[0]['state'], 'none')
        self.assertFalse(self.simulator.requests())


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestDoorsBadInput(OpenApiShop, DoorsCase):
    """What no till sends: nothing is started, nothing hangs, nothing breaks."""

    GARBAGE = (
        'garbage',
        '',
        ' ',
        "it's",
        '"',
        "'; DROP TABLE qfpay_transaction; --",
        '%',
        '\x00',
        '\ud800',
        '../../etc/passwd',
        '支付',
        'x' * 100_000,
        None,
        True,
        0,
        -1,
        1.5,
        10**40,
        [],
        ['a'],
        {},
        {'a': 1},
    )

    def test_uuids_that_are_none(self):
        """Start finds no such line; cancel finds no attempt."""
        for value in self.GARBAGE:
            with self.subTest(repr(value)[:40]):
                answer = self.door('start', payment_uuid=value)
                self.assertEqual(answer['error']['code'], 'not_found')
                answer = self.door('cancel', payment_uuid=value)
                self.assertEqual(answer['payment']['state'], 'none')

    def test_codes_taps_and_times_that_are_none(self):
        """What is no text is none, and a NUL breaks nothing."""
        self.keep_couriers_home()
        payment = self.payment(method=self.wallet)
        for name in ('auth_code', 'tap', 'asked_at'):
            for value in self.GARBAGE:
                if name == 'asked_at' and isinstance(value, (int, float)):
                    continue
                with self.subTest(f'{name}={repr(value)[:40]}'):
                    self.assertIn('payment', self.start(payment, **{name: value}))
                    status = self.cancel(payment, tap=value)['payment']
                    self.assertEqual(status['state'], 'cancelled')
        self.assertFalse(self.simulator.requests())

    def test_customers_codes_that_are_none(self):
        """Where a code is scanned, anything else is refused as such."""
        self.keep_couriers_home()
        payment = self.payment(10, self.scanned)
        for value in (*self.GARBAGE, '28123456789012345\x00', '\x00281234567890123456'):
            with self.subTest(repr(value)[:40]):
                answer = self.start(payment, auth_code=value)
                self.assertEqual(answer['error']['code'], 'code')
        self.assertEqual(self.status(payment)[0]['state'], 'none')
        self.assertIn('payment', self.start(payment, auth_code='281234567890123456'))

    def test_lists_of_uuids_that_are_none(self):
        """Status answers that it knows nothing of them, also in between a good one."""
        payment = self.payment()
        self.start(payment)
        answer = self.door('status', payment_uuids=[*self.GARBAGE, payment.uuid])['payments']
        self.assertEqual({status['state'] for status in answer[:-1]}, {'none'})
        self.assertEqual(answer[-1]['payment_uuid'], payment.uuid)

    def test_things_that_are_no_list(self):
        """A request without a list of uuids is refused."""
        for value in (None, 'abc', 5, True, {'a': 1}):
            with self.subTest(repr(value)), self.assertRaises(JsonRpcException) as refusal:
                self.door('status', payment_uuids=value)
            self.assertIn('BadRequest', str(refusal.exception))

    def test_ten_thousand_uuids(self):
        """A till that asks about ten thousand lines gets an answer quickly, about the first."""
        uuids = [f'line-{number}' for number in range(10_000)]
        started = time.monotonic()
        answer = self.door('status', payment_uuids=uuids)['payments']
        self.assertLess(time.monotonic() - started, 5)
        self.assertLessEqual(len(answer), 100)
        self.assertEqual(answer[0], {'payment_uuid': 'line-0', 'state': 'none'})

    def test_amount_and_result_from_the_browser_are_not_heard(self):
        """A door that is offered an amount, a state or a payload takes none of them."""
        payment = self.payment(10.1)
        with mute_logger('odoo.http'):
            self.start(payment, amount=0.01, state='done', respcd='6000')
        row = self.row(payment)
        self.assertIn(row.state, ('draft', 'sent'))
        self.assertEqual(row.amount_minor, 1010)
