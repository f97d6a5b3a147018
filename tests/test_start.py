"""How a payment begins, and why it may not."""

import uuid
from datetime import timezone
from unittest.mock import patch

from odoo import Command
from odoo.addons.pos_payment_qfpay.cashier.start import PATIENCE, Start, give_up
from odoo.addons.pos_payment_qfpay.cashier.status import left_to_refund, look_up, status
from odoo.addons.pos_payment_qfpay.ledger.limits import MOST_UNDER_WAY
from odoo.addons.pos_payment_qfpay.ledger.states import OPEN
from odoo.exceptions import ConcurrencyError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import ShopCase
from .openapi_shop import OpenApiCase

TAP, NEXT_TAP = 'tap-0123456789', 'tap-9876543210'


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestStart(ShopCase):
    """A line is started once, for what the server itself knows about it."""

    def test_start(self):
        """The row holds what the server itself knows about the line."""
        payment = self.payment(10.1)
        row = self.begin(payment)
        self.assertEqual(row.state, 'draft')
        self.assertEqual(row.reference, f'{payment.uuid}-1')
        self.assertEqual((row.amount_minor, row.amount), (1010, 10.1))
        self.assertEqual(row.currency_id, self.hkd)
        self.assertEqual(row.channel, 'card_payment')
        self.assertEqual(row.terminal_id, self.terminal)
        self.assertEqual(row.link_id, self.terminal.link_id)
        self.assertEqual(row.config_id, self.till)
        self.assertEqual(row.session_id, self.till.current_session_id)
        self.assertEqual(row.company_id, self.company)
        self.assertEqual(row.pos_payment_id, payment)
        self.assertEqual(row.order_uuid, payment.pos_order_id.uuid)
        self.assertFalse(self.sent_out, 'nobody sets out before the row is committed')
        self.env.cr.postcommit.run()
        self.assertEqual(self.sent_out, row.ids)

    def test_start_twice(self):
        """A line that is under way is found again, never sent again."""
        payment = self.payment()
        row = self.begin(payment)
        self.assertEqual(self.begin(payment), row)
        self.env.cr.postcommit.run()
        self.assertEqual(self.sent_out, row.ids)
        self.send_out(row)
        self.assertEqual(self.begin(payment), row)
        self.learn(row, self.outcome(row, 'done'), 'answer')
        self.assertEqual(self.begin(payment), row)
        self.assertEqual(look_up(self.env_of(), payment.uuid)['state'], 'done')
        self.env.cr.postcommit.run()
        self.assertEqual(self.sent_out, row.ids)

    def test_each_try_has_its_own_reference(self):
        """A second try after a failure cannot be mistaken for the first."""
        payment = self.payment()
        references = []
        for _number in range(3):
            row = self.begin(payment)
            references.append(row.reference)
            self.close(row)
        self.assertEqual(references, [f'{payment.uuid}-{number}' for number in (1, 2, 3)])

    def test_earlier_try_that_was_paid_after_all(self):
        """When the first try turns out to be paid, the line is done and not tried again."""
        first = self.row_in('failed')
        payment = first.pos_payment_id
        self.close(self.begin(payment))
        self.learn(first, self.outcome(first, 'done', syssn='9'), 'notification')
        self.assertEqual(self.begin(payment), first)
        self.assertEqual(look_up(self.env_of(), payment.uuid)['transaction_id'], '9')

    def test_line_that_the_server_does_not_have(self):
        """A line that was not synchronised is not started."""
        some = self.payment()
        for name in ('no-such-line', '', "'; DROP TABLE pos_payment; --"):
            self.assert_refused('not_found', some.new({'uuid': name}))

    def test_order_that_is_closed(self):
        """No money is asked for an order that is paid or cancelled."""
        paid = self.sync(self.order(self.line(payment_status='done'), state='paid')).payment_ids
        self.assert_refused('denied', paid)
        cancelled = self.payment()
        cancelled.pos_order_id.action_pos_order_cancel()
        self.assert_refused('denied', cancelled)

    def test_method_of_somebody_else(self):
        """Cash is not asked for on a terminal."""
        self.assert_refused('config', self.payment(method=self.cash))

    def test_till_without_a_terminal(self):
        """The cashier is told which till has no terminal."""
        self.till.qfpay_terminal_id = False
        self.assertIn('Till 1', self.assert_refused('config', self.payment()))

    def test_terminal_without_address_or_key(self):
        """The cashier is told which terminal is not set up."""
        for name in ('host', 'pos_key'):
            before = self.terminal[name]
            self.terminal[name] = False
            self.assertIn('Counter 1', self.assert_refused('config', self.payment()))
            self.terminal[name] = before

    def test_terminal_that_was_archived(self):
        """An archived terminal takes no payments: another one may stand at its address."""
        self.terminal.active = False
        self.assertIn('Counter 1', self.assert_refused('config', self.payment()))

    def test_busy_terminal_names_the_till_that_has_it(self):
        """Two tills share a terminal: the second is told which till has it."""
        self.till_2.qfpay_terminal_id = self.terminal
        for state in OPEN:
            row = self.row_in(state)
            message = self.assert_refused('busy', self.payment(till=self.till_2))
            self.assertIn('Till 1', message)
            self.close(row)
        self.begin(self.payment(till=self.till_2))

    def test_two_methods_share_the_terminal(self):
        """A card and a wallet payment cannot run on one terminal at the same time."""
        self.begin(self.payment(method=self.card))
        self.assert_refused('busy', self.payment(method=self.wallet))

    def test_terminals_do_not_wait_for_each_other(self):
        """Each till has its own terminal: both can be paid at."""
        here = self.begin(self.payment())
        there = self.begin(self.payment(till=self.till_2))
        self.assertEqual((here.state, there.state), ('draft', 'draft'))

    def test_another_till_is_faster(self):
        """Two requests in the same moment: Odoo runs the second again, to tell who was first."""
        self.till_2.qfpay_terminal_id = self.terminal
        payment = self.payment()
        rival = self.payment(till=self.till_2)
        ledger = self.env['qfpay.transaction']
        values = Start(ledger, rival).values(ledger, 1)
        check = Start._check_is_free

        def overtaken(start, terminal):
            check(start, terminal)
            ledger.create(values)

        with (
            patch.object(Start, '_check_is_free', overtaken),
            self.assertRaises(ConcurrencyError),
            mute_logger('odoo.sql_db'),
            self.env.cr.savepoint(),
        ):
            self.begin(payment)

    def test_stranger_starts_nothing(self):
        """A cashier of another company finds no such line."""
        self.assert_refused('not_found', self.payment(), user=self.stranger)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestStartAmounts(ShopCase):
    """Amounts travel in QFPay's minor units, whatever Odoo rounds to."""

    def test_amounts_that_cannot_be_asked_for(self):
        """Zero and more than QFPay can count are refused with the reason."""
        for amount in (0, 30_000_000):
            self.assert_refused('amount', self.payment(amount))

    def test_amount_with_three_decimals(self):
        """The terminal asks for what the payment says, to the cent."""
        payment = self.payment(10.125)
        row = self.begin(payment)
        self.assertEqual(row.amount_minor, round(payment.amount * 100))
        self.assertIn(row.amount_minor, (1012, 1013))

    def test_amounts_to_the_cent(self):
        """No amount loses a cent on its way."""
        for minor in (1, 7, 29, 57, 115, 1010, 1999, 113_99, 999_999_99):
            row = self.begin(self.payment(minor / 100))
            self.assertEqual(row.amount_minor, minor)
            self.assertEqual(status(row)['amount'], minor / 100)
            self.close(row)

    def test_till_that_changed_its_currency(self):
        """A till that sells in another currency than the terminal's is stopped at the payment."""
        payment = self.payment()
        self.till.journal_id.currency_id = self.usd
        self.assertIn('USD', self.assert_refused('amount', payment))

    def set_rounding(self, rounding, decimals):
        """As an administrator may, before anything is booked."""
        self.hkd.rounding = rounding
        self.assertEqual(self.hkd.decimal_places, decimals)

    def test_coarse_rounding(self):
        """Odoo rounds Hong Kong dollars to 0.10 or to 1.00: 100.00 is asked for, not 10.00."""
        for rounding, decimals in ((0.1, 1), (0.5, 1), (1.0, 0)):
            with self.subTest(rounding), self.rewound():
                self.set_rounding(rounding, decimals)
                row = self.begin(self.payment(100))
                self.assertEqual(row.amount_minor, 10_000)
                self.assertEqual(row.amount, 100)
                self.assertEqual(status(row)['amount'], 100)
                self.send_out(row)
                self.learn(row, self.outcome(row, 'done'), 'answer')
                self.assertEqual(row.pos_payment_id.amount, 100)
                self.assertEqual(row.pos_payment_id.qfpay_confirmation, 'confirmed')
                self.assertEqual(left_to_refund(row), 100)

    def test_rounding_that_qfpay_cannot_count(self):
        """Finer than a cent cannot be told to QFPay: refused at the start."""
        payment = self.payment(100)
        for rounding, decimals in ((0.001, 3), (0.025, 2)):
            with self.subTest(rounding), self.rewound():
                self.set_rounding(rounding, decimals)
                self.assertIn('rounding', self.assert_refused('amount', payment))

    def test_rounding_that_qfpay_cannot_count_at_a_till(self):
        """And where the till is set up, with the sentence that says what to correct."""
        self.set_rounding(0.001, 3)
        (self.till | self.till_2).current_session_id.state = 'closed'
        for values in (
            {'qfpay_terminal_id': self.terminal_2.id},
            {'payment_method_ids': [Command.link(self._method('payme').id)]},
        ):
            with (
                self.assertRaisesRegex(ValidationError, '0.001'),
                self.env.cr.savepoint(),
            ):
                self.till.write(values)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestStartRoom(ShopCase):
    """An order's attempts that are open or done never exceed what is due on it."""

    def two_lines(self, first=100, second=100, due=100):
        """The lines that two tills have put on one order, without knowing of each other."""
        order = self.order(self.line(first), self.line(second, self.wallet))
        order['lines'][0][2].update(price_unit=due, price_subtotal=due, price_subtotal_incl=due)
        order.update(amount_total=due, amount_paid=due)
        payments = self.sync(order).payment_ids
        # the second till has a terminal of its own
        self.till_2.qfpay_terminal_id = self.terminal_2
        return payments

    def at_second_till(self):
        """The order is open at the other till, too."""
        self.till.qfpay_terminal_id = self.terminal_2

    def test_second_line_of_an_order_from_another_till(self):
        """The whole amount is under way at one till: the other one asks for nothing."""
        first, second = self.two_lines()
        for state in OPEN:
            with self.rewound():
                row = self.begin(first)
                self.bring(row, state)
                self.at_second_till()
                message = self.assert_refused('elsewhere', second)
                self.assertIn('Till 1', message)

    def bring(self, row, state):
        """From a draft to one of the open states."""
        if state != 'draft':
            self.send_out(row)
        if state == 'unknown':
            self.lose_answer(row)
        elif state == 'pending':
            self.learn(row, self.outcome(row, 'pending'), 'inquiry')
        self.assertEqual(row.state, state)

    def test_second_line_after_the_first_is_done(self):
        """Paid is paid: the other till is told to look again."""
        first, second = self.two_lines()
        row = self.begin(first)
        self.send_out(row)
        self.learn(row, self.outcome(row, 'done'), 'answer')
        self.assertIn('still due', self.assert_refused('elsewhere', second))

    def test_second_line_after_the_first_failed(self):
        """What failed takes no room."""
        first, second = self.two_lines()
        self.close(self.begin(first))
        row = self.begin(second)
        self.assertEqual(row.order_attempt, 2)
        self.at_second_till()
        self.assert_refused('elsewhere', first)

    def test_first_attempt_is_paid_after_all(self):
        """Two attempts of one order are paid: a manager is called, on the second."""
        first, second = self.two_lines()
        one = self.begin(first)
        self.close(one)
        other = self.begin(second)
        self.send_out(other)
        self.learn(one, self.outcome(one, 'done'), 'notification')
        self.assertTrue(other.cancel_requested_at, 'it is needless now')
        self.learn(other, self.outcome(other, 'done'), 'answer')
        self.assertIn('paid_twice', self.alarms(other))
        self.assertIn(one.reference, other.attention)

    def test_parts_of_an_order(self):
        """Each takes its part, and none takes more."""
        first, second = self.two_lines(60, 40)
        one = self.begin(first)
        self.at_second_till()
        other = self.begin(second)
        self.assertEqual((one.amount_minor, other.amount_minor), (6000, 4000))
        self.assertEqual((one.order_attempt, other.order_attempt), (1, 2))
        for row in (one, other):
            self.send_out(row)
            self.learn(row, self.outcome(row, 'done'), 'answer')
            self.assertFalse(row.needs_attention)

    def test_parts_that_are_too_much_together(self):
        """More than is left is refused before anything leaves."""
        first, second = self.two_lines(60, 40.01)
        self.begin(first)
        self.at_second_till()
        self.assert_refused('elsewhere', second)

    def test_more_than_the_order(self):
        """A single line asks for no more than its order is worth."""
        first, _second = self.two_lines(100.01, 1)
        self.assert_refused('elsewhere', first)

    def test_both_tills_in_one_moment(self):
        """Neither saw the other: the database lets one of them pass, and Odoo asks the other."""
        first, second = self.two_lines(60, 60)
        ledger = self.env['qfpay.transaction']
        values = Start(ledger, first).values(ledger, 1)
        self.at_second_till()
        check = Start._check_room

        def overtaken(start, attempts, amount_minor):
            check(start, attempts, amount_minor)
            ledger.create(values)

        with (
            patch.object(Start, '_check_room', overtaken),
            self.assertRaises(ConcurrencyError),
            mute_logger('odoo.sql_db'),
            self.env.cr.savepoint(),
        ):
            self.begin(second)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestStartTaps(ShopCase):
    """One tap is one attempt, in its time or not at all."""

    def seconds_ago(self, seconds):
        """A time as the doors tell it."""
        now = self.env.cr.now().replace(tzinfo=timezone.utc)
        return now.timestamp() - seconds

    def test_same_tap_twice(self):
        """A request that is repeated begins nothing new, also when the first attempt has failed."""
        payment = self.payment()
        row = self.begin(payment, tap=TAP)
        self.assertEqual(row.tap, TAP)
        self.assertEqual(self.begin(payment, tap=TAP), row)
        self.close(row)
        self.assertEqual(self.begin(payment, tap=TAP), row)
        again = self.begin(payment, tap=NEXT_TAP)
        self.assertNotEqual(again, row)
        self.close(again)
        # the first request arrives once more, much too late
        self.assertEqual(self.begin(payment, tap=TAP), row)

    def test_tap_that_names_nothing(self):
        """What is no name of a tap is none."""
        payment = self.payment()
        for tap in ('', 'short', 'x' * 65, "'; DROP TABLE", 'täp-0123456789'):
            row = self.begin(payment, tap=tap)
            self.assertFalse(row.tap)
            self.close(row)

    def test_start_that_was_on_its_way_for_too_long(self):
        """The cashier has given up: the terminal is not woken any more."""
        payment = self.payment()
        message = self.assert_refused('late', payment, asked_at=self.seconds_ago(PATIENCE + 1))
        self.assertIn('Nothing was sent', message)
        self.assertTrue(self.begin(payment, asked_at=self.seconds_ago(PATIENCE - 1)))

    def test_late_start_of_what_is_under_way(self):
        """A late repetition of what has begun is told how it stands."""
        payment = self.payment()
        row = self.begin(payment, tap=TAP)
        self.assertEqual(self.begin(payment, tap=TAP, asked_at=self.seconds_ago(600)), row)

    def test_time_that_is_none(self):
        """A till that does not say when is not asked."""
        for asked_at in (None, 'yesterday', [], {}):
            row = self.begin(self.payment(), asked_at=asked_at)
            self.close(row)

    def give_up(self, payment, tap=TAP):
        return give_up(self.env_of(), payment.uuid, tap)

    def test_given_up_before_it_arrived(self):
        """The till waited in vain: the late start begins nothing, a new tap begins anew."""
        payment = self.payment()
        held = self.give_up(payment)
        self.assertEqual(held.state, 'cancelled')
        self.assertEqual(self.begin(payment, tap=TAP), held)
        self.env.cr.postcommit.run()
        self.assertFalse(self.sent_out)
        row = self.begin(payment, tap=NEXT_TAP)
        self.assertEqual((row.state, row.reference), ('draft', f'{payment.uuid}-2'))

    def test_given_up_after_it_had_arrived(self):
        """What is under way is cancelled as any payment is, not by this."""
        payment = self.payment()
        row = self.begin(payment, tap=TAP)
        self.assertIsNone(self.give_up(payment))
        self.assertEqual(row.state, 'draft')
        self.send_out(row)
        self.learn(row, self.outcome(row, 'done'), 'answer')
        self.assertIsNone(self.give_up(payment))
        self.assertEqual(row.state, 'done')

    def test_given_up_without_a_name_or_a_line(self):
        """Then there is nothing whose place could be held."""
        payment = self.payment()
        self.assertIsNone(self.give_up(payment, tap='short'))
        self.assertIsNone(self.give_up(payment.new({'uuid': 'no-such-line'})))
        self.assertFalse(self.env['qfpay.transaction'].search_count([]))


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestStartCodes(OpenApiCase):
    """Codes, of which many are under way at once."""

    def test_given_up_while_a_part_is_under_way(self):
        """An order with room for more: the line that is under way is left alone all the same."""
        order = self.sync(self.order(self.line(40, self.shown), self.line(60, self.cash)))
        payment = order.payment_ids.filtered(lambda it: it.amount == 40)
        row = self.begin(payment, tap=TAP)
        self.assertIsNone(give_up(self.env_of(), payment.uuid, NEXT_TAP))
        self.send_out(row)
        self.learn(row, self.outcome(row, 'done'), 'inquiry')
        self.assertIsNone(give_up(self.env_of(), payment.uuid, NEXT_TAP))
        self.assertEqual(self.env['qfpay.transaction'].search([]), row)

    def test_too_many_at_one_till(self):
        """The next one is refused, with what to do; the other till goes on."""
        some = self.begin(self.payment(1, self.shown))
        for number in range(MOST_UNDER_WAY - 1):
            some.create(
                {
                    **some.copy_data()[0],
                    'reference': f'more-{number}',
                    'payment_uuid': str(uuid.uuid4()),
                    'order_uuid': str(uuid.uuid4()),
                }
            )
        message = self.assert_refused('busy', self.payment(1, self.shown))
        self.assertIn(f'{MOST_UNDER_WAY}', message)
        self.assertIn('Till 1', message)
        self.assertTrue(self.begin(self.payment(1, self.shown, till=self.till_2)))
        self.cancel_line(some)
        self.assertEqual(some.state, 'cancelled')
        self.assertTrue(self.begin(self.payment(1, self.shown)))
