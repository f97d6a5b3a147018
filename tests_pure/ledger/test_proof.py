"""What a word must name so that a shop may believe that money moved."""

import os
import time
from dataclasses import replace
from unittest.mock import patch

from pos_payment_qfpay.ledger.clock import Moment
from pos_payment_qfpay.ledger.proof import Evidence
from pos_payment_qfpay.ledger.testimony import About, Witness
from pos_payment_qfpay.qfpay.outcome import Verdict
from pos_payment_qfpay.tests_pure.ledger.story import (
    CODE,
    ERROR,
    EVERYTHING,
    FAILED,
    GATEWAY_REFUND,
    NOON,
    NUMBER,
    ORIGINAL,
    OTHER_NUMBER,
    PAYMENTS,
    PENDING,
    REFUND,
    SALE,
    SCAN,
    WALLET,
    LedgerCase,
    Story,
    at,
    done,
    left,
    says,
)

#: what contradicts an attempt, and the words for a manager: heard, and expected
CONTRADICTIONS = (
    ({'reference': 'S-1-0002'}, 'S-1-0002', 'S-1-0001'),
    ({'amount_minor': 1011}, '1011', '1010'),
    ({'amount_minor': 0}, '0', '1010'),
    ({'amount_minor': -1010}, '-1010', '1010'),
    ({'currency': 'CNY'}, 'CNY', 'HKD'),
    ({'trade_type': 'refund'}, 'refund', 'payment'),
)


class TestAnswer(LedgerCase):
    """The answer to the request itself."""

    def test_paid(self):
        for attempt in PAYMENTS:
            with self.subTest(attempt.channel):
                story = Story(attempt).sent().after(20).answer(done(attempt))
                self.assertBelieved(story, 'done')
                self.assertEqual(story.belief.facts['syssn'], NUMBER)
                self.assertEqual(story.belief.source, Witness.ANSWER)
                self.assertFalse(story.belief.by_manager or story.belief.waiting)

    def test_refunded(self):
        for attempt in (replace(REFUND, created=NOON), GATEWAY_REFUND):
            with self.subTest(attempt.provider):
                story = Story(attempt).sent().after(20).answer(done(attempt))
                self.assertBelieved(story, 'done')
                self.assertEqual(story.belief.facts['syssn'], OTHER_NUMBER)

    def test_paid_needs_its_number_reference_and_amount(self):
        for attempt in (SALE, WALLET, CODE, SCAN):
            for name in ('syssn', 'reference', 'amount_minor'):
                with self.subTest(attempt.channel, name=name):
                    outcome = done(attempt, **{name: None})
                    self.assertBelieved(Story(attempt).sent().answer(outcome), 'unknown')
            self.assertBelieved(Story(attempt).sent().answer(done(attempt, syssn='')), 'unknown')

    def test_paid_needs_no_more_than_that(self):
        """A terminal's answer need not tell currency, merchant or time."""
        for attempt in (SALE, CODE):
            for name in ('currency', 'merchant', 'traded_at', 'trade_type'):
                with self.subTest(attempt.channel, name=name):
                    outcome = done(attempt, **{name: None})
                    self.assertBelieved(Story(attempt).sent().answer(outcome), 'done')

    def test_what_a_payment_gives_back_is_no_question(self):
        """A payment gives nothing back: a number that QFPay puts there contradicts nothing."""
        for attempt in (SALE, CODE):
            outcome = done(attempt, orig_syssn=ORIGINAL)
            self.assertBelieved(Story(attempt).sent().answer(outcome), 'done')

    def test_a_manager_is_told_first_that_it_is_another_sale(self):
        """Its number tells more than its amount."""
        for attempt, change, heard, expected in (
            (SALE, {'reference': 'S-1-0002', 'amount_minor': 5}, 'S-1-0002', 'S-1-0001'),
            (CODE, {'reference': 'S-1-0002', 'currency': 'CNY'}, 'S-1-0002', 'S-1-0001'),
            (REFUND, {'orig_syssn': NUMBER, 'amount_minor': 5}, NUMBER, ORIGINAL),
            (GATEWAY_REFUND, {'orig_syssn': NUMBER, 'amount_minor': 5}, NUMBER, ORIGINAL),
            (GATEWAY_REFUND, {'reference': 'R', 'orig_syssn': NUMBER}, 'R', 'S-1-0001-R1'),
        ):
            story = Story(attempt).sent().answer(done(attempt, **change))
            self.assertBelieved(story, 'unknown', 'contradiction')
            self.assertAlarm(story, 'contradiction', heard, expected)

    def test_an_answer_about_another_sale_calls_a_manager(self):
        for attempt in (SALE, CODE):
            for change, heard, expected in CONTRADICTIONS:
                with self.subTest(attempt.channel, change=change):
                    story = Story(attempt).sent().answer(done(attempt, **change))
                    self.assertBelieved(story, 'unknown', 'contradiction')
                    self.assertAlarm(story, 'contradiction', heard, expected)
                    self.assertEqual(story.belief.reason, '')
                    self.assertEqual(story.belief.facts, {})

    def test_a_no_about_another_sale_is_no_no(self):
        for attempt in (SALE, CODE):
            for change, _heard, _expected in CONTRADICTIONS:
                with self.subTest(attempt.channel, change=change):
                    story = Story(attempt).sent().answer(replace(FAILED, **change))
                    self.assertBelieved(story, 'unknown', 'contradiction')

    def test_another_merchants_money_is_not_ours(self):
        story = Story(CODE).sent().answer(done(CODE, merchant='SOMEBODY'))
        self.assertBelieved(story, 'unknown', 'contradiction')
        self.assertAlarm(story, 'contradiction', 'SOMEBODY', 'SHOP')
        # a terminal has none of ours to compare with
        self.assertBelieved(Story(SALE).sent().answer(done(SALE, merchant='ANY')), 'done')

    def test_a_refund_answered_by_its_own_payment_is_not_done(self):
        for attempt in (REFUND, GATEWAY_REFUND):
            with self.subTest(attempt.provider):
                outcome = done(attempt, syssn=ORIGINAL)
                self.assertBelieved(Story(attempt).sent().answer(outcome), 'unknown')

    def test_a_terminals_refund_must_name_its_payment(self):
        self.assertBelieved(Story(REFUND).sent().answer(done(REFUND, orig_syssn=None)), 'unknown')
        story = Story(REFUND).sent().answer(done(REFUND, orig_syssn=NUMBER))
        self.assertBelieved(story, 'unknown', 'contradiction')
        self.assertAlarm(story, 'contradiction', NUMBER, ORIGINAL)

    def test_a_refund_of_another_payment_is_not_ours(self):
        story = Story(GATEWAY_REFUND).sent().answer(done(GATEWAY_REFUND, orig_syssn=NUMBER))
        self.assertBelieved(story, 'unknown', 'contradiction')

    def test_a_terminals_refund_has_a_reference_of_its_own(self):
        for reference in (None, 'cf0b8a', 'S-1-0001'):
            story = Story(REFUND).sent().answer(done(REFUND, reference=reference))
            self.assertBelieved(story, 'done')
        story = Story(GATEWAY_REFUND).sent().answer(done(GATEWAY_REFUND, reference='cf0b8a'))
        self.assertBelieved(story, 'unknown', 'contradiction')

    def test_a_terminals_refund_may_leave_out_its_amount(self):
        """The whole rest was asked for, and the payment is named."""
        self.assertBelieved(Story(REFUND).sent().answer(done(REFUND, amount_minor=None)), 'done')
        story = Story(REFUND).sent().answer(done(REFUND, amount_minor=1010))
        self.assertBelieved(story, 'unknown', 'contradiction')

    def test_what_was_read_generously_moves_no_money(self):
        for attempt in EVERYTHING:
            with self.subTest(attempt.channel, kind=attempt.kind):
                story = Story(attempt).sent().answer(done(attempt, strict=False))
                self.assertBelieved(story, 'unknown')
                story.after(10)
                if not attempt.looks_before:
                    story.asked(done(attempt, strict=False))
                self.assertBelieved(story, 'unknown')

    def test_a_refusal_may_be_read_generously(self):
        story = Story(SALE).sent().answer(says(Verdict.FAILED, '4007', strict=False))
        self.assertBelieved(story, 'failed')

    def test_one_number_of_qfpays_pays_one_sale(self):
        for attempt in EVERYTHING:
            with self.subTest(attempt.channel, kind=attempt.kind):
                story = Story(attempt).sent().answer(done(attempt), taken=True)
                self.assertBelieved(story, 'unknown', 'same_number')
                self.assertAlarm(story, 'same_number', done(attempt).syssn)

    def test_a_number_that_is_not_there_is_nobodys(self):
        for syssn in (None, ''):
            story = Story(SALE).sent().answer(done(SALE, syssn=syssn), taken=True)
            self.assertBelieved(story, 'unknown')
        nameless = replace(FAILED, syssn=None)
        self.assertBelieved(Story(SALE).sent().answer(nameless, taken=True), 'failed')

    def test_a_word_that_names_another_rows_number_is_about_that_row(self):
        """Whatever it says: it pays nothing here, ends nothing, and takes nothing back."""
        for outcome in (done(SALE), FAILED, PENDING, says(Verdict.CANCELLED, '6000', syssn=NUMBER)):
            with self.subTest(outcome.verdict):
                story = Story(SALE).sent().answer(outcome, taken=True)
                self.assertBelieved(story, 'unknown', 'same_number')
                self.assertAlarm(story, 'same_number', NUMBER)
                self.assertIsNone(story.belief.ended)
                story = Story(SALE).sent().lost('timeout').after(9).asked(outcome, taken=True)
                self.assertBelieved(story, 'unknown', 'same_number')
                self.assertEqual(story.belief.reason, 'timeout')
                self.assertFalse(story.belief.known)
                story = Story(SALE).sent().after(9).asked(outcome, taken=True)
                self.assertBelieved(story, 'sent', 'same_number')
                story = Story(CODE).sent().answer(done(CODE)).after(9).asked(outcome, taken=True)
                self.assertBelieved(story, 'done', 'same_number')

    def test_a_late_word_about_another_sale_leaves_what_is_known(self):
        story = Story(CODE).sent().answer(PENDING).answer(done(CODE, amount_minor=5))
        self.assertBelieved(story, 'pending', 'contradiction')

    def test_a_manager_hears_of_a_contradiction_before_a_number(self):
        story = Story(SALE).sent().answer(done(SALE, amount_minor=5), taken=True)
        self.assertBelieved(story, 'unknown', 'contradiction')


class TestInquiry(LedgerCase):
    """A terminal, asked what became of a payment."""

    def asked(self, attempt=SALE, moment=None, **changes):
        return (
            Story(attempt, now=moment)
            .sent()
            .after(60)
            .lost()
            .after(1)
            .asked(done(attempt, **changes))
        )

    def test_found_paid(self):
        for attempt in (SALE, WALLET):
            for reference in (attempt.reference, None):
                for merchant in (None, 'ANY'):
                    story = self.asked(attempt, reference=reference, merchant=merchant)
                    self.assertBelieved(story, 'done')
                    self.assertEqual(story.belief.source, Witness.INQUIRY)

    def test_bare_success_is_no_payment(self):
        """6000 and 0000, and nothing else: that there was a question is all that it says."""
        bare = says(Verdict.DONE, '6000', inner_code='0000')
        self.assertBelieved(Story(SALE).sent().lost().after(1).asked(bare), 'unknown')

    def test_found_paid_needs_number_amount_and_kind(self):
        for name in ('syssn', 'amount_minor', 'trade_type'):
            with self.subTest(name):
                story = self.asked(**{name: None})
                self.assertBelieved(story, 'unknown')

    def test_another_sales_number_calls_a_manager(self):
        for change, heard, expected in CONTRADICTIONS:
            with self.subTest(change):
                story = self.asked(**change)
                self.assertBelieved(story, 'unknown', 'contradiction')
                self.assertAlarm(story, 'contradiction', heard, expected)

    def test_last_weeks_payment_of_the_same_amount_is_not_todays(self):
        for seconds, state in (
            (0, 'done'),
            (-600, 'done'),
            (-601, 'unknown'),
            (-7 * 86400, 'unknown'),
        ):
            with self.subTest(seconds):
                story = self.asked(traded_at=at(NOON, seconds))
                self.assertEqual(story.belief.state, state)

    def test_an_old_payment_calls_a_manager(self):
        """Somebody plays recorded words, or two clocks are far apart: a manager must know."""
        story = self.asked(traded_at=at(NOON, -7 * 86400))
        self.assertBelieved(story, 'unknown', 'contradiction')
        self.assertAlarm(story, 'contradiction', '2026-01-08 12:00:00', '2026-01-15 12:00:00')

    def test_without_a_time_the_day_in_its_number_counts(self):
        evening = replace(SALE, created=Moment(NOON.at.replace(hour=15, minute=59, second=59)))
        midnight = replace(SALE, created=Moment(NOON.at.replace(hour=16, minute=9)))
        later = replace(SALE, created=Moment(NOON.at.replace(hour=16, minute=10)))
        for attempt, number, state in (
            # noon of the 15th
            (SALE, '20260115000000999', 'done'),
            (SALE, '20260116000000999', 'done'),
            (SALE, '20260114235959999', 'unknown'),
            (SALE, '20251231000000999', 'unknown'),
            # a second before midnight in Hong Kong, and ten minutes around it
            (evening, '20260115235959999', 'done'),
            (midnight, '20260115235959999', 'done'),
            (later, '20260115235959999', 'unknown'),
            (later, '20260116000000999', 'done'),
            # no day at all
            (SALE, '20261315000000999', 'unknown'),
            (SALE, 'A1', 'unknown'),
        ):
            with self.subTest(number, created=attempt.created.at):
                story = self.asked(attempt, syssn=number, traded_at=None)
                self.assertEqual(story.belief.state, state)

    def test_a_number_of_another_day_calls_a_manager(self):
        story = self.asked(syssn='20260114235959999', traded_at=None)
        self.assertBelieved(story, 'unknown', 'contradiction')
        self.assertAlarm(story, 'contradiction', '2026-01-14', '2026-01-15 12:00:00')

    def test_its_own_time_counts_before_the_day_in_its_number(self):
        self.assertBelieved(self.asked(syssn='20260114235959999'), 'done')

    def test_what_names_too_little_calls_nobody_for_its_age(self):
        for name in ('syssn', 'amount_minor', 'trade_type'):
            with self.subTest(name):
                story = self.asked(**{name: None, 'traded_at': at(NOON, -86400)})
                self.assertBelieved(story, 'unknown')
        self.assertBelieved(self.asked(traded_at=at(NOON, -86400), strict=False), 'unknown')

    def test_at_the_gateway_our_own_number_says_which_one_it_is_however_old(self):
        old = done(CODE, traded_at=at(NOON, -86400))
        story = Story(CODE).sent().lost().after(1)
        self.assertBelieved(story.asked(replace(old, currency=None)), 'unknown')
        self.assertBelieved(story.asked(old), 'done')

    def test_only_what_was_asked_for_is_weighed_by_its_time(self):
        """The answer to the request needs none; and what nobody asked for proves nothing."""
        old = done(SALE, reference=None, traded_at=at(NOON, -86400))
        self.assertBelieved(Story(SALE).sent().answer(old), 'unknown')
        for witness in (Witness.PAGE, Witness.INQUIRY, Witness.ANSWER):
            story = Story(SALE).sent().lost().after(1).hear(witness, About.NOTHING, done(SALE))
            self.assertBelieved(story, 'unknown')

    def test_what_is_proved_is_not_too_early(self):
        said = Story(SALE).sent().asked(done(SALE)).said[-1]
        self.assertIsNone(Evidence(SALE, said, said.outcome).too_early())

    def test_a_number_that_pays_another_row_pays_no_second_one(self):
        story = Story(SALE).sent().lost().after(1).asked(done(SALE, reference=None), taken=True)
        self.assertBelieved(story, 'unknown', 'same_number')
        self.assertAlarm(story, 'same_number', NUMBER)

    def test_found_paid_in_a_list_of_many(self):
        story = Story(SALE).sent().lost().after(1).asked_in_a_list(done(SALE))
        self.assertBelieved(story, 'done')

    def test_a_terminals_refund_is_never_found_by_a_number_of_ours(self):
        """It has none. Whatever says so is about something else."""
        story = Story(REFUND).sent().lost().after(1).asked(done(REFUND), About.NUMBER)
        self.assertBelieved(story, 'unknown')


class TestPlaces(LedgerCase):
    """In whatever country the server stands, and whatever its clock is set to show."""

    def test_times_are_compared_in_every_time_zone(self):
        self.addCleanup(time.tzset)
        for zone in ('UTC', 'Asia/Hong_Kong', 'America/New_York'):
            with self.subTest(zone), patch.dict(os.environ, {'TZ': zone}):
                time.tzset()
                for seconds, state in ((-600, 'done'), (-601, 'unknown')):
                    story = Story(SALE).sent().lost().after(1)
                    story.asked(done(SALE, traded_at=at(NOON, seconds)))
                    self.assertEqual(story.belief.state, state)
                attempt = replace(SALE, created=Moment(NOON.at.replace(hour=16, minute=10)))
                for number, state in (('20260115', 'unknown'), ('20260116', 'done')):
                    story = Story(attempt).sent().lost().after(1)
                    story.asked(done(attempt, syssn=f'{number}000000999', traded_at=None))
                    self.assertEqual(story.belief.state, state)


class TestRowsAndNotices(LedgerCase):
    """QFPay's gateway: rows of a query, and notifications."""

    def test_a_paid_row(self):
        for attempt in (CODE, SCAN, GATEWAY_REFUND):
            for about in (About.NUMBER, About.LIST):
                with self.subTest(attempt.channel, about=about):
                    story = Story(attempt).sent().lost().after(1).asked(done(attempt), about)
                    self.assertBelieved(story, 'done')

    def test_a_notice(self):
        for attempt in (SALE, CODE, SCAN, GATEWAY_REFUND):
            with self.subTest(attempt.channel, kind=attempt.kind):
                story = Story(attempt).sent().after(5).notified(done(attempt, traded_at=None))
                self.assertBelieved(story, 'done')
                self.assertEqual(story.belief.source, Witness.NOTIFICATION)

    def test_a_row_or_notice_without_a_readable_amount_or_currency_pays_nothing(self):
        for attempt in (CODE, SCAN, GATEWAY_REFUND):
            for name in ('reference', 'amount_minor', 'currency', 'trade_type', 'syssn'):
                with self.subTest(attempt.channel, name=name):
                    outcome = done(attempt, **{name: None})
                    for story in (
                        Story(attempt).sent().lost().asked(outcome),
                        Story(attempt).sent().lost().asked_in_a_list(outcome),
                        Story(attempt).sent().lost().notified(outcome),
                    ):
                        self.assertBelieved(story, 'unknown')

    def test_a_notice_about_a_terminals_payment_must_name_all_of_it(self):
        for name in ('reference', 'amount_minor', 'currency', 'trade_type', 'syssn'):
            with self.subTest(name):
                story = Story(SALE).sent().lost().notified(done(SALE, **{name: None}))
                self.assertBelieved(story, 'unknown')

    def test_a_notice_of_something_else_calls_a_manager(self):
        for attempt in (SALE, CODE):
            for change, heard, expected in CONTRADICTIONS:
                with self.subTest(attempt.channel, change=change):
                    story = Story(attempt).sent().notified(done(attempt, **change))
                    self.assertBelieved(story, 'sent', 'contradiction')
                    self.assertAlarm(story, 'contradiction', heard, expected)

    def test_a_refunds_notice_never_makes_its_payment_paid(self):
        story = Story(CODE).sent().notified(done(GATEWAY_REFUND, reference=CODE.reference))
        self.assertEqual(story.belief.state, 'sent')

    def test_a_notice_is_qfpays_word_also_where_the_terminal_seals(self):
        story = Story(SALE, seals=True).sent().notified(done(SALE))
        self.assertBelieved(story, 'done')

    def test_an_order_that_is_shown_is_not_paid(self):
        story = Story(CODE).sent().answer(PENDING)
        self.assertBelieved(story, 'pending')
        self.assertEqual(story.belief.code_to_scan, 'weixin://pay')


class TestSealing(LedgerCase):
    """A terminal that encrypts. Anybody in the shop's network can speak in the clear."""

    def test_nothing_in_the_clear_ends_a_payment(self):
        for code, verdict in (
            ('6000', Verdict.DONE),
            ('6001', Verdict.CANCELLED),
            ('6002', Verdict.UNKNOWN),
            ('4003', Verdict.FAILED),
            ('4004', Verdict.FAILED),
            ('4006', Verdict.FAILED),
            ('4007', Verdict.FAILED),
            ('5001', Verdict.FAILED),
        ):
            for attempt in (SALE, REFUND):
                with self.subTest(code, kind=attempt.kind):
                    outcome = done(attempt, verdict=verdict, code=code, signed=False)
                    story = Story(attempt, seals=True).sent().answer(outcome)
                    self.assertBelieved(story, 'unknown')
                    self.assertEqual(story.belief.reason, 'in_the_clear')
                    self.assertFalse(story.belief.waiting)
                    self.assertIsNone(story.belief.ended)
                    self.assertEqual((story.belief.code, story.belief.facts), ('', {}))

    def test_nothing_in_the_clear_answers_a_question(self):
        for outcome in (done(SALE), FAILED, PENDING, says(Verdict.NOT_FOUND, '6002')):
            with self.subTest(outcome.verdict):
                story = Story(SALE, seals=True).sent().lost().after(200)
                for _time in range(5):
                    story.after(10).asked(replace(outcome, signed=False))
                self.assertBelieved(story, 'unknown')
                self.assertEqual(story.belief.asked, 5)
                self.assertEqual(story.belief.reason, 'timeout')

    def test_in_the_clear_nothing_is_doubted_either(self):
        """What a stranger says changes no state, unless it stands in the answer's own place."""
        story = Story(SALE, seals=True).sent().after(5).asked(done(SALE, signed=False))
        self.assertBelieved(story, 'sent')
        story = Story(SALE, seals=True).sent().after(5).asked(PENDING)
        self.assertBelieved(story.after(5).answer(replace(FAILED, signed=False)), 'pending')

    def test_sealed_words_count(self):
        self.assertBelieved(Story(SALE, seals=True).sent().answer(done(SALE)), 'done')
        self.assertBelieved(Story(SALE, seals=True).sent().answer(FAILED), 'failed')
        self.assertBelieved(
            Story(SALE, seals=True).sent().lost().after(9).asked(done(SALE)), 'done'
        )

    def test_a_terminal_that_does_not_seal_is_believed_in_the_clear(self):
        for outcome, state in (
            (done(SALE, signed=False), 'done'),
            (replace(FAILED, signed=False), 'failed'),
        ):
            self.assertBelieved(Story(SALE).sent().answer(outcome), state)
            self.assertBelieved(Story(SALE).sent().lost().after(9).asked(outcome), state)

    def test_a_terminal_whose_encryption_was_switched_off_is_believed_again(self):
        """Once the shop has learned of it: from then on its words in the clear count."""
        clear = done(SALE, signed=False)
        story = Story(SALE, seals=True).sent().answer(clear).after(5).asked(clear)
        self.assertBelieved(story, 'unknown')
        story.seals = False
        self.assertBelieved(story.after(5).asked(clear), 'done')


class TestPage(LedgerCase):
    """Words that a till's page carried. A cashier can write them."""

    def test_sealed_words_count_as_the_terminals(self):
        self.assertBelieved(Story(SALE).sent().page(done(SALE)), 'done')
        self.assertBelieved(Story(SALE).sent().page(FAILED), 'failed')
        self.assertBelieved(
            Story(SALE).sent().lost().after(9).page(done(SALE), About.NUMBER), 'done'
        )

    def test_words_in_the_clear_wait_for_another_witness(self):
        for outcome in (done(SALE), FAILED, ERROR):
            for seals in (True, False):
                with self.subTest(outcome.verdict, seals=seals):
                    story = Story(SALE, seals).sent().page(replace(outcome, signed=False))
                    self.assertBelieved(story, 'unknown')
                    self.assertEqual(story.belief.reason, 'in_the_clear')
                    self.assertFalse(story.belief.waiting)
                    story.after(9).page(replace(outcome, signed=False), About.NUMBER)
                    self.assertBelieved(story, 'unknown')
        self.assertBelieved(story.after(9).notified(done(SALE)), 'done')

    def test_it_proves_no_more_than_the_terminals_own_words(self):
        for change in ({'reference': None}, {'syssn': None}, {'strict': False}):
            self.assertBelieved(Story(SALE).sent().page(done(SALE, **change)), 'unknown')

    def test_a_page_that_says_what_is_left_in_the_clear(self):
        story = Story(REFUND).page(left(1010, signed=False), About.ORIGINAL)
        self.assertIsNone(story.belief.left_before)
