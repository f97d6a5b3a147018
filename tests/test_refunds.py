"""Giving money back: of the right payment, and never more than was taken."""

from odoo.addons.pos_payment_qfpay.cashier.refunds import days_to_refund, last_day
from odoo.addons.pos_payment_qfpay.cashier.status import left_to_refund, status
from odoo.addons.pos_payment_qfpay.ledger.rules import judge
from odoo.addons.pos_payment_qfpay.ledger.states import OPEN
from odoo.addons.pos_payment_qfpay.ledger.testimony import About, Fact
from odoo.addons.pos_payment_qfpay.qfpay.ecr.message import Refund
from odoo.tests import tagged

from .common import ShopCase
from .ledger_talk import OTHER_CARRIER
from .openapi_shop import OpenApiCase


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestRefunds(ShopCase):
    """Refunds that a terminal carries out."""

    def give_back(self, row, amount=None, **values):
        """A refund that the terminal carries out."""
        refund = self.sent_refund(row, amount, **values)
        self.learn(refund, self.outcome(refund, 'done'), 'answer')
        self.assertEqual(refund.state, 'done')
        return refund

    def test_whole_card_payment(self):
        """A card payment is given back as a whole, and the line carries the refund."""
        row = self.paid(10.1)
        refund = self.give_back(row)
        self.assertEqual(refund.original_id, row)
        self.assertEqual(refund.kind, 'refund')
        self.assertEqual(refund.amount_minor, 1010)
        self.assertEqual(refund.amount, -10.1)
        self.assertEqual(status(refund)['amount'], -10.1)
        self.assertEqual(refund.pos_payment_id.transaction_id, refund.syssn)
        self.assertEqual(refund.pos_payment_id.qfpay_confirmation, 'confirmed')
        self.assertEqual(row.state, 'done')

    def test_part_of_a_card_payment(self):
        """The terminal voids cards as a whole; for a part the cashier is sent to the portal."""
        row = self.paid(100)
        message = self.assert_refused('refund', self.refund_line(row, 40))
        self.assertIn('portal', message)

    def test_parts_of_a_wallet_payment(self):
        """A wallet payment can be given back in parts, together not more than was paid."""
        row = self.paid(100, method=self.wallet)
        self.give_back(row, 30)
        self.assertIn('70', self.assert_refused('refund', self.refund_line(row, 70.01)))
        self.give_back(row, 50)
        self.give_back(row, 20)
        self.assert_refused('refund', self.refund_line(row, 0.01))
        self.assertEqual(row.refund_ids.sorted('id').mapped('refund_number'), [1, 2, 3])

    def test_refund_that_failed_takes_nothing_away(self):
        """What was not given back can still be given back."""
        row = self.paid(100, method=self.wallet)
        self.close(self.sent_refund(row, 100))
        self.give_back(row, 100)

    def test_refund_under_way_elsewhere(self):
        """While one till gives a payment back, another cannot, and is told why."""
        row = self.paid(100, method=self.wallet)
        self.begin(self.refund_line(row, 30))
        message = self.assert_refused('busy', self.refund_line(row, 30, till=self.till_2))
        self.assertIn('Till 1', message)

    def test_more_than_was_paid(self):
        """More than was paid is never asked for."""
        row = self.paid(100, method=self.wallet)
        self.assert_refused('refund', self.refund_line(row, 100.01))

    def test_channels_that_give_nothing_back(self):
        """FPS and Octopus cannot be given back through QFPay; the cashier is told to take cash."""
        for method in (self.fps, self.octopus):
            row = self.paid(10, method=method)
            message = self.assert_refused('refund', self.refund_line(row))
            self.assertIn('cash', message)
            self.assertEqual(left_to_refund(row), 0)

    def test_order_that_was_not_paid_through_qfpay(self):
        """Cash is not given back through QFPay, nor a forced payment that QFPay never saw."""
        cash = self.sync(self.order(self.line(10, self.cash), state='paid'))
        forced = self.sync(self.order(self.line(10, payment_status='done'), state='paid'))
        for order in (cash, forced):
            line = self.line(-10, self.card)
            payment = self.sync(self.order(line, refund_of=order))[-1].payment_ids
            self.assert_refused('refund', payment)

    def test_negative_amount_without_a_refund(self):
        """A negative line in an order that gives nothing back finds no payment to refund."""
        self.paid(10)
        self.assert_refused('refund', self.payment(-10))

    def test_another_method_of_the_house(self):
        """A refund booked on another QFPay method still goes back the way the money came."""
        row = self.paid(10, method=self.wallet)
        refund = self.begin(self.refund_line(row, method=self.card))
        self.assertEqual(refund.original_id, row)
        self.assertEqual(refund.channel, 'alipay')

    def test_payment_at_another_till(self):
        """What was paid at one till is given back at another, on that till's terminal."""
        row = self.paid(10, till=self.till)
        refund = self.begin(self.refund_line(row, till=self.till_2))
        self.assertEqual(refund.original_id, row)
        self.assertEqual(refund.terminal_id, self.terminal_2)
        self.assertEqual(refund.config_id, self.till_2)

    def test_split_order(self):
        """With two payments of an order, the one that fits the amount is given back."""
        order = self.sync(
            self.order(
                self.line(60, self.card), self.line(40, self.wallet), self.line(5, self.cash)
            )
        )
        for payment in order.payment_ids.filtered(lambda payment: payment.amount != 5):
            row = self.begin(payment)
            self.send_out(row)
            self.learn(row, self.outcome(row, 'done'), 'answer')
        order.action_pos_order_paid()
        for amount in (60, 40):
            line = self.line(-amount, self.card)
            payment = self.sync(self.order(line, refund_of=order))[-1].payment_ids
            refund = self.begin(payment)
            self.assertEqual(refund.original_id.amount, amount)
            self.close(refund)

    def test_split_order_of_equal_halves(self):
        """Where both fit, the payment of the refund's own method is given back."""
        order = self.sync(self.order(self.line(50, self.card), self.line(50, self.wallet)))
        for payment in order.payment_ids:
            row = self.begin(payment)
            self.send_out(row)
            self.learn(row, self.outcome(row, 'done'), 'answer')
        order.action_pos_order_paid()
        for method in (self.wallet, self.card):
            line = self.line(-50, method)
            payment = self.sync(self.order(line, refund_of=order))[-1].payment_ids
            refund = self.begin(payment)
            self.assertEqual(refund.original_id.payment_method_id, method)
            self.close(refund)

    def test_answer_about_another_refund(self):
        """A refund of another payment, or of another amount, is not this one."""
        row = self.paid(10, method=self.wallet)
        refund = self.sent_refund(row, 4)
        for values in ({'orig_syssn': 'another'}, {'amount_minor': 1000}, {'currency': 'USD'}):
            self.learn(refund, self.outcome(refund, 'done', **values), 'answer')
            self.assertIn(refund.state, OPEN)
            self.assertEqual(set(self.alarms(refund)), {'contradiction'})
        self.learn(refund, self.outcome(refund, 'done', reference='any'), 'answer')
        self.assertEqual(refund.state, 'done')

    def test_answer_that_is_the_payments_own(self):
        """The payment's recorded answer, given to its refund, is no refund."""
        row = self.paid(10, method=self.wallet)
        refund = self.sent_refund(row)
        for values in ({'syssn': row.syssn}, {'orig_syssn': None}):
            with self.rewound():
                self.learn(refund, self.outcome(refund, 'done', **values), 'answer')
                self.assertEqual(refund.state, 'unknown')

    def test_payment_of_another_company(self):
        """A cashier gives back payments of the own company only."""
        row = self.paid(10)
        row.company_id = self.other_company
        self.env.flush_all()
        self.assert_refused('refund', self.refund_line(row, 10))

    # ------------------------------------------------------------------
    # What is left of the payment
    # ------------------------------------------------------------------

    def test_what_is_left_is_asked_before(self):
        """A terminal's refund has no number of ours: what is left must be known before."""
        refund = self.begin(self.refund_line(self.paid(100, method=self.wallet), 30))
        errand = self.claim(refund, 'send')
        self.assertIs(errand.about, About.ORIGINAL)
        self.assertEqual(refund.state, 'draft')
        self.report(errand, self.left(refund))
        self.assertEqual(refund.left_before_minor, 10_000)
        self.assertIsInstance(self.claim(refund, 'send').request.command, Refund)

    def test_terminal_that_cannot_tell_what_is_left(self):
        """Should its answer get lost, nothing could tell whether it happened: nothing leaves."""
        paid = self.paid(100, method=self.wallet)
        for word, reason in (
            ({'fact': Fact.UNANSWERED, 'reason': 'unreachable'}, 'unreachable'),
            ({'outcome': self.outcome(paid, 'not_found')}, 'nothing_known'),
            ({'outcome': self.left(self._fake_refund(paid), minor=-5)}, 'nothing_known'),
            ({'outcome': self.left(self._fake_refund(paid), minor=10**15)}, 'nothing_known'),
        ):
            with self.subTest(reason), self.rewound():
                refund = self.begin(self.refund_line(paid, 30))
                self.report(self.claim(refund, 'send'), **word)
                self.assertIsNone(self.claim(refund, 'send'))
                self.assertEqual((refund.state, refund.reason), ('failed', reason))
                self.assertFalse(refund.sent_at)
                self.assertGreater(len(status(refund)['message']), 20)

    def _fake_refund(self, paid):
        return paid.new({'original_id': paid.id})

    def lose_refund(self, paid, amount=30):
        """A refund whose answer is lost."""
        refund = self.sent_refund(paid, amount)
        self.lose_answer(refund)
        return refund

    def test_lost_refund_that_happened(self):
        """It is found by what is left of the payment."""
        refund = self.lose_refund(self.paid(100, method=self.wallet))
        self.age(refund, 2)
        errand = self.claim(refund)
        self.assertIs(errand.about, About.ORIGINAL)
        self.report(errand, self.left(refund, 7_000))
        self.assertEqual((refund.state, refund.state_source), ('done', 'inquiry'))
        self.assertEqual(refund.pos_payment_id.qfpay_confirmation, 'confirmed')

    def test_lost_refund_that_did_not_happen(self):
        """Nothing is missing, as often as a "not found" must be heard: it failed."""
        refund = self.lose_refund(self.paid(100, method=self.wallet))
        self.age(refund, 185)
        for _question in range(3):
            self.assertEqual(refund.state, 'unknown')
            self.age(refund, 20)
            self.report(self.claim(refund), self.left(refund, 10_000))
        self.assertEqual(refund.state, 'failed')

    def test_lost_refund_after_which_another_amount_is_missing(self):
        """QFPay's portal gave back something, too: that proves nothing of this refund."""
        refund = self.lose_refund(self.paid(100, method=self.wallet))
        self.age(refund, 185)
        for _question in range(5):
            self.age(refund, 20)
            self.learn(refund, self.left(refund, 4_000), 'left')
        self.assertEqual(refund.state, 'unknown')

    def test_lost_refund_before_a_later_one(self):
        """The later refund takes from the payment, too: the first is not found in it again."""
        paid = self.paid(100, method=self.wallet)
        lost = self.lose_refund(paid)
        lost.with_user(self.manager).action_set_failed()
        later = self.give_back(paid, 30)
        self.assertEqual(later.left_before_minor, 10_000)
        self.age(lost, 60)
        self.learn(lost, self.left(lost, 7_000), 'left')
        self.assertEqual(lost.state, 'failed')

    def test_carrier_that_died_before_the_refund_left(self):
        """What is left is asked again, under a new claim; the slow one's refund stays away."""
        refund = self.begin(self.refund_line(self.paid(method=self.wallet)))
        slow = self.claim(refund, 'send')
        self.end_lease(refund)
        self.age(refund, 45)
        again = self.claim(refund, 'send', OTHER_CARRIER)
        self.assertIs(again.about, About.ORIGINAL)
        self.assertGreater(again.claim, slow.claim)
        self.report(again, self.left(refund))
        self.assertIs(self.claim(refund, 'send', OTHER_CARRIER).about, About.REQUEST)
        self.report(slow, self.left(refund))
        self.assertIsNone(self.claim(refund, 'send'))
        self.assertEqual(refund.state, 'sent')

    def test_what_was_known_beside_a_word_is_kept_with_it(self):
        """Later refunds change what is left, and not what an earlier answer has proved."""
        paid = self.paid(100, method=self.wallet)
        self.age(self.give_back(paid, 10), 3600)
        refund = self.begin(self.refund_line(paid, 30))
        self.report(self.claim(refund, 'send'), self.left(refund, 9000))
        self.claim(refund, 'send')
        self.lose_answer(refund)
        self.age(refund, 2)
        self.report(self.claim(refund), self.left(refund, 6000))
        self.assertEqual(refund.state, 'done')
        word = refund.testimony_ids[-1]
        self.assertEqual((word.superseded, word.returned_minor), (False, 1000))
        self.assertLess(word.asked_tick, word.tick)
        later = self.give_back(paid, 20)
        self.assertEqual(judge_again(refund).state, 'done')
        # more than was left before the later one cannot be left now
        self.assertTrue(refund._is_superseded())
        self.assertEqual(refund._returned_by_others(), 3000)
        self.assertEqual(later.state, 'done')


def judge_again(row):
    """What all that was said of a row comes to now."""
    read = row._lock()
    return judge(row._attempt(read), read.testimonies)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestCodeRefunds(OpenApiCase):
    """Refunds that QFPay's gateway carries out."""

    def test_partial_refunds_until_nothing_is_left(self):
        """Each part is known by its own number."""
        paid = self.paid(100, self.shown)
        for amount in (30, 30):
            refund = self.sent_refund(paid, amount)
            self.assertEqual(refund.provider, 'openapi')
            self.learn(refund, self.outcome(refund, 'done'), 'answer')
            self.assertEqual(refund.state, 'done')
            self.assertEqual(left_to_refund(refund), left_to_refund(paid))
        self.assertEqual(left_to_refund(paid), 40)
        message = self.assert_refused('refund', self.refund_line(paid, 41))
        self.assertIn('40', message)
        last = self.sent_refund(paid, 40)
        self.learn(last, self.outcome(last, 'done'), 'answer')
        self.assertEqual(paid._refundable_minor(), 0)

    def test_fps_gives_nothing_back(self):
        """The till is told so before anybody tries; a manager may know better of the account."""
        paid = self.paid(method=self.fps_code)
        self.assertEqual(left_to_refund(paid), 0)
        self.assert_refused('refund', self.refund_line(paid))
        self.account.fps_refunds = True
        self.assertEqual(left_to_refund(paid), paid.amount)
        self.assertEqual(self.sent_refund(paid).original_id, paid)

    def test_time_in_which_it_can_be_given_back(self):
        """On the last day it is begun, on the next one refused, with the day that was the last."""
        paid = self.paid(method=self.shown)
        days = days_to_refund(paid)
        self.age(paid, days * 24 * 3600)
        self.assertEqual(left_to_refund(paid), paid.amount)
        with self.rewound():
            self.assertTrue(self.begin(self.refund_line(paid)))
        self.age(paid, 24 * 3600)
        self.assertEqual(left_to_refund(paid), 0)
        message = self.assert_refused('refund', self.refund_line(paid))
        self.assertIn(f'{days} days', message)
        self.assertIn(str(last_day(paid).year), message)

    def test_money_back_after_all(self):
        """What was given back twice is not called paid twice."""
        paid = self.paid(method=self.shown)
        first = self.sent_refund(paid)
        self.close(first)
        second = self.begin(first.pos_payment_id)
        self.send_out(second)
        self.learn(second, self.outcome(second, 'done'), 'answer')
        self.learn(first, self.outcome(first, 'done'), 'inquiry')
        self.assertEqual(self.alarms(first), ['done_after_all', 'refunded_twice'])
        self.assertIn('given back twice', first.attention)
        self.assertIn(second.reference, first.attention)

    def test_refund_that_explained_what_went_back_fails(self):
        """QFPay says that money of the payment went back: ours, it seemed, and it was not."""
        paid = self.paid(method=self.shown)
        refund = self.sent_refund(paid)
        self.learn(paid, self.outcome(paid, 'cancelled', cancel=1, syssn=paid.syssn), 'inquiry')
        self.assertEqual((paid.state, self.alarms(paid)), ('done', []))
        self.close(refund)
        self.assertEqual((paid.state, self.alarms(paid)), ('reversed', ['reversed']))

    def test_refund_by_way_of_the_payments_account(self):
        """An archived account gives back what it took, whichever method the refund is booked on."""
        paid = self.paid(method=self.shown)
        self.account.active = False
        self.assertIn('not in use', self.assert_refused('config', self.payment(10, self.shown)))
        refund = self.sent_refund(paid, method=self.card)
        self.assertEqual((refund.state, refund.account_id), ('sent', self.account))

    def test_refund_that_qfpay_is_told_of_once(self):
        """A refund whose answer is lost is asked about by its own number, and never sent again."""
        refund = self.sent_refund(self.paid(method=self.shown))
        self.lose_answer(refund)
        self.assertEqual(self.begin(refund.pos_payment_id), refund)
        self.age(refund, 200)
        for _question in range(3):
            errand = self.claim(refund)
            self.assertIs(errand.about, About.NUMBER)
            self.report(errand, self.outcome(refund, 'unknown'))
            self.age(refund, 30)
        self.report(self.claim(refund), self.outcome(refund, 'done'))
        self.assertEqual(refund.state, 'done')
