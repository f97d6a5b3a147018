import uuid

from odoo.addons.pos_payment_qfpay import courier
from odoo.addons.pos_payment_qfpay.qfpay.errors import AnswerLost, InvalidRequest, NotSent
from odoo.addons.pos_payment_qfpay.qfpay.outcome import Outcome, Verdict
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestCourier(BaseCase):
    """How a courier gets its word into the database, and what it makes of a failure."""

    def setUp(self):
        super().setUp()
        self.db_name = get_db_name()
        self.key = f'pos_payment_qfpay.test.{uuid.uuid4()}'
        self.execute('INSERT INTO ir_config_parameter (key, value) VALUES (%s, %s)', 'begun')
        self.addCleanup(self.execute, 'DELETE FROM ir_config_parameter WHERE key = %s')

    def execute(self, query, *values):
        """In a committed transaction of its own."""
        with Registry(self.db_name).cursor() as cr:
            cr.execute(query, (self.key, *values))

    def value(self):
        with Registry(self.db_name).cursor() as cr:
            cr.execute('SELECT value FROM ir_config_parameter WHERE key = %s', (self.key,))
            return cr.fetchone()[0]

    def append(self, cr, word):
        cr.execute(
            "UPDATE ir_config_parameter SET value = value || ' ' || %s WHERE key = %s",
            (word, self.key),
        )

    def test_transaction_is_committed(self):
        """What the courier learned is in the database when it goes on."""
        answer = courier.transact(self.db_name, lambda env: self.append(env.cr, 'mine') or 'answer')
        self.assertEqual(answer, 'answer')
        self.assertEqual(self.value(), 'begun mine')

    def test_transaction_runs_again_when_another_was_faster(self):
        """Till and courier write on the same payment: the courier's word is not lost."""
        tries = []

        def action(env):
            tries.append(len(tries))
            env.cr.execute('SELECT value FROM ir_config_parameter WHERE key = %s', (self.key,))
            if len(tries) < 3:
                with Registry(self.db_name).cursor() as rival:
                    self.append(rival, 'theirs')
            self.append(env.cr, 'mine')

        with mute_logger('odoo.sql_db'):
            courier.transact(self.db_name, action)
        self.assertEqual(tries, [0, 1, 2])
        self.assertEqual(self.value(), 'begun theirs theirs mine')

    def test_transaction_with_a_mistake_leaves_nothing(self):
        """An error of our own is told, and nothing of it stays."""

        def action(env):
            self.append(env.cr, 'mine')
            raise ZeroDivisionError

        with self.assertRaises(ZeroDivisionError):
            courier.transact(self.db_name, action)
        self.assertEqual(self.value(), 'begun')

    def ask(self, error):
        def send():
            raise error

        return courier._ask(send)

    def test_nothing_left(self):
        """A terminal that cannot be reached has charged nobody: the payment failed."""
        outcome = self.ask(NotSent('no connection'))
        self.assertEqual((outcome.verdict, outcome.code), (Verdict.FAILED, 'unreachable'))
        outcome = self.ask(InvalidRequest('no such channel'))
        self.assertEqual((outcome.verdict, outcome.code), (Verdict.FAILED, 'not_sent'))

    def test_answer_was_lost(self):
        """A lost answer says nothing about the money, and does not end the request."""
        for reason in ('timeout', 'connection', 'unreadable', 'too_large'):
            outcome = self.ask(AnswerLost('lost', reason))
            self.assertEqual((outcome.verdict, outcome.code), (Verdict.UNKNOWN, ''))

    def test_mistake_while_sending(self):
        """A mistake of our own after bytes may have left says nothing about the money either."""
        with mute_logger('odoo.addons.pos_payment_qfpay.courier'):
            outcome = self.ask(ZeroDivisionError())
        self.assertEqual((outcome.verdict, outcome.code), (Verdict.UNKNOWN, ''))

    def test_answer(self):
        """What the terminal says is passed on as it is."""
        outcome = Outcome(verdict=Verdict.DONE)
        self.assertIs(courier._ask(lambda: outcome), outcome)

    def test_a_call_off_is_followed_by_a_question(self):
        """A reversal gives back what was paid a moment before, so QFPay has the last word."""
        reversed_after_all = Outcome(verdict=Verdict.CANCELLED, code='0000')
        errand = courier.Errand(
            send=None,
            inquire=lambda: reversed_after_all,
            call_off=lambda: Outcome(verdict=Verdict.DONE),
            in_round=True,
        )
        heard = []
        self.patch(courier, 'transact', lambda db_name, action: errand)
        self.patch(courier, '_report', lambda key, *word: heard.append(word))
        courier._call_off((self.db_name, 1))
        self.assertEqual(heard, [(reversed_after_all, 'inquiry')])

    def test_a_refund_is_not_sent_blindly(self):
        """What could not be told apart after a lost answer is not begun."""
        for left, noted, code in ((None, True, 'nothing_known'), (5, False, 'not_sent')):
            errand = courier.Errand(
                send=lambda: self.fail('sent'), inquire=None, look=lambda left=left: left
            )
            self.patch(courier, 'transact', lambda db_name, action, noted=noted: noted)
            outcome = courier._send((self.db_name, 1), errand)
            self.assertEqual((outcome.verdict, outcome.code), (Verdict.FAILED, code))
