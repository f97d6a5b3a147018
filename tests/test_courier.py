"""How a courier carries steps to QFPay, and what it heard to the ledger."""

import threading
import time
import uuid
from unittest.mock import patch

import psycopg2

from odoo.addons.pos_payment_qfpay import courier
from odoo.addons.pos_payment_qfpay.courier import Errand, budget, clock, polling, runner
from odoo.addons.pos_payment_qfpay.courier.budget import BURST, RESERVE, Budget
from odoo.addons.pos_payment_qfpay.courier.carrying import VALID, carry
from odoo.addons.pos_payment_qfpay.courier.runner import Due, Looked, Runner
from odoo.addons.pos_payment_qfpay.ledger.testimony import About, Fact, Witness
from odoo.addons.pos_payment_qfpay.qfpay.errors import (
    AnswerLost,
    InvalidRequest,
    NoSuchCall,
    NotSent,
    RateLimited,
)
from odoo.addons.pos_payment_qfpay.qfpay.openapi.gateway import Gateway
from odoo.addons.pos_payment_qfpay.qfpay.outcome import Outcome, Verdict
from odoo.modules.registry import Registry
from odoo.sql_db import PoolError
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

from .ledger_talk import CARRIER
from .openapi_shop import OpenApiCase


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestTransact(BaseCase):
    """How a courier gets its word into the database."""

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


class FakeRequest:
    """A request whose end is known before it is made."""

    asked = 'what was asked auth_code=281234567890123456'

    def __init__(self, end):
        self.end = end

    def carry(self, before_first_byte, permit):
        permit()
        before_first_byte()
        if isinstance(self.end, Exception):
            raise self.end
        return self.end


def errand(end, about=About.REQUEST, **values):
    return Errand(transaction_id=1, about=about, claim=7, request=FakeRequest(end), **values)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestCarrying(BaseCase):
    """An errand becomes a word: QFPay's where QFPay spoke, else this server's own."""

    def assert_own_word(self, word, fact, reason):
        self.assertEqual((word.fact, word.reason), (fact, reason))
        self.assertIs(word.witness, Witness.SERVER)
        self.assertIsNone(word.outcome)
        self.assertEqual(word.claim, 7)

    def test_answer(self):
        """What QFPay says is passed on as it is, and who was asked what."""
        outcome = Outcome(verdict=Verdict.DONE, heard='cardcd=4111111111111111')
        for about, witness in (
            (About.REQUEST, Witness.ANSWER),
            (About.CANCEL, Witness.ANSWER),
            (About.NUMBER, Witness.INQUIRY),
            (About.ORIGINAL, Witness.INQUIRY),
            (About.CONTROL, Witness.INQUIRY),
        ):
            word = carry(errand(outcome, about, seals=True))
            self.assertIs(word.outcome, outcome)
            self.assertEqual((word.witness, word.about, word.claim), (witness, about, 7))
            self.assertTrue(word.seals)
            self.assertNotIn('4111111111111111', word.heard)

    def test_nothing_left(self):
        """Whoever cannot be reached has charged nobody; nor has what we could not even ask."""
        for error, reason in (
            (NotSent('no connection'), 'unreachable'),
            (NotSent('no certificate', 'tls'), 'tls'),
            (NotSent('slept', 'stale'), 'stale'),
            (InvalidRequest('no such channel'), 'invalid'),
            (RateLimited('too many'), 'rate_limited'),
        ):
            with self.subTest(reason):
                self.assert_own_word(carry(errand(error)), Fact.NEVER_LEFT, reason)

    def test_answer_was_lost(self):
        """A lost answer says nothing about the money."""
        for reason in ('timeout', 'connection', 'unreadable', 'too_large'):
            word = carry(errand(AnswerLost('lost', reason, b'auth_code=281234567890123456')))
            self.assert_own_word(word, Fact.ANSWER_LOST, reason)
            self.assertNotIn('281234567890123456', word.heard)

    def test_mistake_while_sending(self):
        """A mistake of our own after bytes may have left says nothing about the money either."""
        with self.assertLogs('odoo.addons.pos_payment_qfpay.courier.carrying', 'ERROR'):
            word = carry(errand(ZeroDivisionError()))
        self.assert_own_word(word, Fact.ANSWER_LOST, 'fault')

    def test_question_without_an_answer(self):
        """A question that got lost, or never left, is not "not found": nobody answered."""
        for about in (About.NUMBER, About.ORIGINAL, About.CONTROL, About.CANCEL):
            for error in (
                NotSent('no connection'),
                InvalidRequest('wrong'),
                RateLimited('too many'),
                AnswerLost('lost', 'timeout'),
            ):
                with self.subTest(f'{about.value}, {error!r}'):
                    word = carry(errand(error, about))
                    self.assertIs(word.fact, Fact.UNANSWERED)
                    self.assertIs(word.about, about)
                    self.assertIsNone(word.outcome)

    def test_call_that_qfpay_does_not_have(self):
        """To cancel, there may be another way; anything else was not understood."""
        no_call = NoSuchCall('404')
        self.assert_own_word(carry(errand(no_call, About.CANCEL)), Fact.WRONG_WAY, 'unreadable')
        self.assert_own_word(carry(errand(no_call)), Fact.ANSWER_LOST, 'unreadable')
        self.assertIs(carry(errand(no_call, About.NUMBER)).fact, Fact.UNANSWERED)

    def test_claim_that_is_too_old(self):
        """Whoever slept between the claim and the first byte lets it be."""
        done = Outcome(verdict=Verdict.DONE)
        fresh = errand(done, claimed=clock.tick() - VALID + 1)
        self.assertIs(carry(fresh).outcome, done)
        slept = errand(done, claimed=clock.tick() - VALID - 1)
        self.assert_own_word(carry(slept), Fact.NEVER_LEFT, 'stale')

    def test_claim_that_grows_old_while_it_waits_for_its_slot(self):
        """The budget may keep it waiting: it is checked after that."""
        late = errand(Outcome(verdict=Verdict.DONE))
        now = clock.tick()

        def permit():
            self.patch(clock, 'tick', lambda: now + VALID + 1)

        self.assert_own_word(carry(late, permit), Fact.NEVER_LEFT, 'stale')


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestBudget(BaseCase):
    """QFPay allows 100 requests a second and 400 a minute to a merchant."""

    def setUp(self):
        super().setUp()
        self.now = 1000.0
        self.slept = 0.0
        self.patch(budget.time, 'monotonic', lambda: self.now)
        self.patch(budget.time, 'sleep', self.sleep)

    def sleep(self, seconds):
        self.now += seconds
        self.slept += seconds

    def take(self, bucket, reserve=0):
        """Whether a slot was there without waiting."""
        before = self.slept
        bucket.take(reserve)
        return self.slept == before

    def test_limits_hold(self):
        """However many are asked for, QFPay's limits are not met, in any second or minute."""
        bucket, taken = Budget(), []
        while self.now < 1150:
            bucket.take()
            taken.append(self.now)
        for start in taken:
            self.assertLess(sum(start <= at < start + 1 for at in taken), 100)
            self.assertLess(sum(start <= at < start + 60 for at in taken), 400)

    def test_slots_are_kept_for_what_somebody_waits_for(self):
        """Questions about many payments leave some; a payment gets one at once."""
        bucket = Budget()
        while self.take(bucket, RESERVE):
            pass
        self.assertTrue(all(self.take(bucket) for _slot in range(RESERVE)))
        self.assertFalse(self.take(bucket))

    def test_waiting_in_vain(self):
        """After too long nobody waits any more, and says so."""
        bucket = Budget(spent=10_000)
        with self.assertRaises(RateLimited):
            bucket.take()
        self.assertLess(self.slept, budget.PATIENCE + 1)

    def test_what_another_owner_had_spent(self):
        """A change of owners is no way round the limit."""
        bucket, another = Budget(), Budget()
        for _slot in range(BURST):
            bucket.take()
        self.assertGreater(bucket.spent, 0)
        another.hand_over(bucket.spent)
        self.assertFalse(self.take(another))

    def test_first_request_of_an_errand(self):
        """Its slot was taken before the claim; those that follow take their own."""
        bucket = Budget()
        bucket.take()
        spent = bucket.spent
        permit = bucket.after_first()
        permit()
        self.assertEqual(bucket.spent, spent)
        permit()
        self.assertGreater(bucket.spent, spent)


class FakeLedger:
    """Stands for the database: what the runner asks of it is a method here."""

    def __init__(self):
        self.found = Looked()

    def __call__(self, _db_name, action):
        return action(self)

    def __getitem__(self, model):
        return self

    def browse(self, row_id):
        return Row(self, row_id)

    def _look(self, who, busy, spent):
        return self.found


class Row:
    def __init__(self, ledger, row_id):
        self.ledger, self.row_id = ledger, row_id

    def __getattr__(self, name):
        return lambda *args: getattr(self.ledger, name)(self.row_id, *args)


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestRunner(BaseCase):
    """This process's part: so many threads for each link, and no more."""

    LOG = 'odoo.addons.pos_payment_qfpay.courier.runner'

    def setUp(self):
        super().setUp()
        self.ledger = FakeLedger()
        self.patch(runner, 'transact', self.ledger)
        self.patch(polling, 'transact', self.ledger)
        self.runner = Runner('no-database')
        self.gate = threading.Event()
        self.begun = []
        self.addCleanup(self.runner.stop, 10)
        self.addCleanup(self.gate.set)

    def hold(self):
        """Whatever is carried waits at a gate."""

        def claim(row_id, _who, _lane):
            self.begun.append(row_id)
            self.gate.wait(10)
            return None, False

        self.ledger._claim_step = claim

    def begin(self, row_id, lane='talk', link_id=1, is_account=False, till_id=1):
        return self.runner.begin(Due(lane, row_id, link_id, is_account, till_id))

    def wait(self, condition):
        ends_at = time.monotonic() + 5
        while not condition():
            self.assertLess(time.monotonic(), ends_at)
            time.sleep(0.005)

    def test_a_terminal_has_one_thread_for_each_lane(self):
        """A loop of cancels begins one thread, and not one each."""
        self.hold()
        self.assertTrue(self.begin(1, 'send'))
        for _press in range(300):
            self.begin(1, 'talk')
        self.wait(lambda: len(self.begun) == 2)
        names = [it.name for it in threading.enumerate()]
        self.assertEqual(names.count('qfpay.courier.send.1'), 1)
        self.assertEqual(names.count('qfpay.courier.talk.1'), 1)
        self.assertTrue(self.begin(2, 'talk', link_id=2), 'another terminal')

    def test_an_account_has_a_few(self):
        """Two hundred and fifty payments by one cashier are carried by as many as fit."""
        self.hold()
        begun = [self.begin(row_id, 'send', is_account=True) for row_id in range(250)]
        self.assertEqual(sum(begun), runner._LANES['send'][True])

    def test_thread_that_cannot_be_started(self):
        """Its place is free again: the next look tries once more."""
        self.hold()

        def start(_thread):
            raise RuntimeError("can't start new thread")

        with patch.object(threading.Thread, 'start', start), mute_logger(self.LOG):
            self.assertFalse(self.begin(1))
            self.runner.wake()
        self.assertFalse(self.runner.is_busy())
        self.assertTrue(self.begin(1))
        self.wait(lambda: self.begun == [1])

    def test_errand_that_fails(self):
        """A mistake of our own leaves its place, and the row as it is."""

        def claim(row_id, _who, _lane):
            raise ZeroDivisionError

        self.ledger._claim_step = claim
        with self.assertLogs(self.LOG, 'ERROR'):
            self.assertTrue(self.begin(1))
            self.wait(lambda: not self.runner.is_busy())
            self.assertTrue(self.begin(1))
            self.wait(lambda: not self.runner.is_busy())

    def test_tills_take_turns(self):
        """Fifty payments at one till keep another one's waiting for one turn, not for fifty."""
        self.hold()
        width = runner._LANES['send'][True]
        many = [Due('send', row_id, 1, True, 1) for row_id in range(50)]
        self.ledger.found = Looked(due=[*many, Due('send', 99, 1, True, 2)])
        self.runner._look()
        self.wait(lambda: len(self.begun) == width)
        self.assertNotIn(99, self.begun)
        first, self.gate = self.gate, threading.Event()
        self.addCleanup(self.gate.set)
        first.set()
        self.wait(lambda: not self.runner._carried)
        self.runner._look()
        self.wait(lambda: 99 in self.begun)

    def test_one_step_after_the_other(self):
        """What is due at once is carried by the same thread, what is due later is not."""
        steps = iter([(errand(Outcome(verdict=Verdict.UNKNOWN)), False)] * 2 + [(None, False)])
        self.ledger._claim_step = lambda row_id, who, lane: next(steps)
        afters, told = [0.0, 60.0], []
        self.ledger._take_report = lambda *_args: (afters.pop(0), not afters)
        self.ledger._tell = told.append
        self.begin(1)
        self.wait(lambda: not self.runner.is_busy())
        self.assertEqual(afters, [])
        self.assertEqual(told, [1])
        self.assertEqual(next(steps), (None, False))

    def test_database_that_refuses_connections(self):
        """What was learned is told when it is back, however long that takes."""
        steps = iter([(errand(Outcome(verdict=Verdict.DONE)), False), (None, False)])
        self.ledger._claim_step = lambda row_id, who, lane: next(steps)
        errors = [
            psycopg2.OperationalError('refused'),
            psycopg2.InterfaceError('closed'),
            PoolError('full'),
        ]
        heard = []

        def take_report(_errand, word):
            if errors:
                raise errors.pop()
            heard.append(word)
            return None, False

        self.ledger._take_report = take_report
        pauses = []
        self.patch(runner.time, 'sleep', pauses.append)
        with self.assertLogs(self.LOG, 'WARNING'):
            self.runner._report(errand(Outcome(verdict=Verdict.DONE)), 'word')
        self.assertEqual(heard, ['word'])
        self.assertEqual(pauses, sorted(pauses))
        self.assertEqual(len(pauses), 3)

    def test_stop(self):
        """Nothing more is begun, and what is carried is waited for."""
        self.hold()
        self.begin(1)
        self.wait(lambda: self.begun)
        self.assertTrue(self.runner.is_busy())
        threading.Timer(0.1, self.gate.set).start()
        self.runner.stop(10)
        self.assertFalse(self.runner.is_busy())
        self.assertFalse(self.begin(2))

    def test_look_that_fails(self):
        """The database was away for a moment: the next look comes."""
        looks = []

        def look(*_args):
            looks.append(1)
            if len(looks) == 1:
                raise psycopg2.OperationalError('away')
            return Looked(soon=0.01)

        self.ledger._look = look
        with mute_logger(self.LOG):
            self.runner.wake()
            self.wait(lambda: len(looks) > 1)

    def test_slot_of_an_account_is_taken_before_the_claim(self):
        """A cancel that waits for its slot is judged anew before it leaves."""
        order = []
        bucket = self.runner.budget(1)
        self.patch(bucket, 'take', lambda: order.append('slot'))

        def claim(*_args):
            order.append('claim')
            return None, False

        self.ledger._claim_step = claim
        self.begin(1, is_account=True)
        self.wait(lambda: order == ['slot', 'claim'])


@tagged('post_install', '-at_install', 'pos_payment_qfpay')
class TestRound(OpenApiCase):
    """One question about all codes of an account that are open."""

    def setUp(self):
        super().setUp()
        self.runner = self.courier_here()
        self.rows = self.env['qfpay.transaction']
        for till in (self.till, self.till_2):
            row = self.sent(method=self.shown, till=till)
            self.learn(row, self.outcome(row, 'pending', qrcode='x'), 'answer')
            self.rows |= row
        self.age(self.rows, 3)
        self.link = self.account.link_id
        self.patch(polling, 'me', lambda: CARRIER)

    def go_round(self, answers):
        """QFPay answers a query for all of them, or raises.

        :return: the ids of the rows that were told their news
        """
        asked, told = [], []

        def query(_gateway, references, since=None):
            asked.append(references)
            if isinstance(answers, Exception):
                raise answers
            return {reference: answers[reference] for reference in references}

        def tell(row_id):
            told.append(row_id)
            self.rows.browse(row_id)._tell()

        with patch.object(Gateway, 'query', query):
            polling.go_round(self.env.cr.dbname, self.link.id, Budget(), tell)
        self.env.invalidate_all()
        self.assertEqual(asked, [self.rows.mapped('reference')])
        return told

    def test_what_each_hears(self):
        """One is paid, the other one still waits."""
        paid, waiting = self.rows
        told = self.go_round(
            {
                paid.reference: self.outcome(paid, 'done'),
                waiting.reference: self.outcome(waiting, 'pending', qrcode='x'),
            }
        )
        self.assertEqual((paid.state, paid.state_source), ('done', 'inquiry'))
        self.assertEqual(paid.pos_payment_id.payment_status, 'done')
        self.assertEqual(waiting.state, 'pending')
        self.assertEqual(waiting.asked, 1)
        self.assertEqual(told, paid.ids)

    def test_repetitions_are_counted_at_once(self):
        """A hundred customers who still wait cost two statements, and no word each."""
        words = len(self.rows.testimony_ids)
        same = {row.reference: self.outcome(row, 'pending') for row in self.rows}
        for number in range(1, 4):
            self.assertEqual(self.go_round(same), [])
            self.assertEqual(self.rows.mapped('asked'), [number, number])
            self.assertTrue(all(at > self.link._clock() for at in self.rows.mapped('next_step_at')))
            self.age(self.rows, 3)
        self.assertEqual(len(self.rows.testimony_ids), words + 2)

    def test_one_bad_row_keeps_nothing_from_the_others(self):
        """Its trouble is logged, and the one that comes after it is paid."""
        bad, good = self.rows
        take_word = type(bad)._take_word

        def broken(row, word):
            if row == bad:
                raise ZeroDivisionError('another module')
            return take_word(row, word)

        done = {row.reference: self.outcome(row, 'done') for row in self.rows}
        with (
            patch.object(type(bad), '_take_word', broken),
            self.assertLogs('odoo.addons.pos_payment_qfpay.courier.polling', 'ERROR'),
        ):
            self.assertEqual(self.go_round(done), good.ids)
        self.assertEqual((bad.state, good.state), ('pending', 'done'))

    def test_round_that_nobody_answers(self):
        """Nothing is known from it, and the next round comes."""
        for error in (NotSent('off'), AnswerLost('lost', 'timeout'), RateLimited('too many')):
            self.assertEqual(self.go_round(error), [])
            self.assertEqual(set(self.rows.mapped('state')), {'pending'})
            self.assertTrue(all(self.rows.mapped('next_step_at')))
            self.age(self.rows, 20)

    def test_number_that_is_not_in_the_answer(self):
        """That a list does not name it proves nothing, as often as it likes."""
        nothing = Outcome(verdict=Verdict.NOT_FOUND)
        for _round in range(4):
            self.go_round({row.reference: nothing for row in self.rows})
            self.age(self.rows, 20)
        self.assertEqual(set(self.rows.mapped('state')), {'pending'})
