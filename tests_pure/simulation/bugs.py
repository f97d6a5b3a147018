"""Small wrong changes, each of which the simulation must find.

A bug is planted into the real rules, or into the model of what carries them: an edit of one
function's source, another value, or a switch of the modelled glue. An edit whose text is not there
any more is an error, so the list stays true to the rules. It grows with every bug that is found.
`FAILURES` names what broke the version before, in twenty-five ways, and each bug which of them it
would bring back.

`near.json` holds for each the seed of a schedule in which it shows, for the short tests. The long
way is to search from any seed (`make simulate BUG=name`, `BUGS=1`).
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ...ledger import rules, states, steps
from ...ledger.belief import Belief
from ...ledger.clock import Moment
from ...ledger.proof import Evidence
from ...ledger.rules import _Weighing
from ...ledger.testimony import Testimony
from ...qfpay.outcome import Verdict
from . import courier, saying
from .run import Plant, Schedule


@dataclass(frozen=True, slots=True)
class Edit:
    """In the source of a function, one text in the place of another."""

    owner: Any
    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Bug:
    """A wrong change. `says`: what it believes. `failure`: of `FAILURES`, 0 for none of them."""

    name: str
    says: str
    edits: tuple[Edit, ...] = ()
    values: tuple[tuple[Any, str, Any], ...] = ()
    plant: Plant | None = None
    failure: int = 0


#: what broke the version before this one
FAILURES: dict[int, str] = {
    1: 'a crash of the database takes back that a request has left, and it is sent again',
    2: "an odd rounding of Odoo's currency asks for another amount",
    3: 'two tills charge one order',
    4: 'an inquiry answered without a number, or with that of another sale, makes a line green',
    5: 'a refund whose answer was lost is found again in a later one',
    6: '"not found" is believed too soon',
    7: 'a cancel leaves seconds after the payment was known to be done',
    8: 'a payment whose line was deleted turns out paid, and nobody is told',
    9: 'after a crash nobody asks for 45 seconds',
    10: '"ask again" wakes its own process alone; settings freeze in a running job',
    11: 'the clock is set, and payments fail or stand still',
    12: "fifty requests at one moment fail at the budget's row",
    13: 'an error of another module keeps the ledger or the till from learning',
    14: 'a thread that cannot be started keeps its key for ever',
    15: 'a request leaves when its customer has gone; a look is wasted while nobody answers; '
    'a refund is tried again while the first is under way; an unknown code means "failed"',
    16: 'recorded, pasted or exchanged answers make a payment or a refund done',
    17: 'a refusal in the clear ends a payment of a terminal that encrypts',
    18: 'a notice or a row without amount or currency is done',
    19: 'a loop of "cancel" is carried out again and again',
    20: 'an order is paid past the ledger by writing records',
    21: "a manager's word reads as QFPay's, and is the end of it",
    22: "keys and customers' codes in logs, doors that give way",
    23: 'a terminal that does not encrypt any more stays unknown, though its connection was tested',
    24: 'what QFPay refused in words and took later is never known',
    25: 'two payments under one number go unnoticed',
}
#: those that no rule about money could bring back, and whose matter they are
NO_RULES: dict[int, str] = {
    2: "amounts in QFPay's exponent: qfpay/money.py, and the checks at the start of a payment",
    10: "the mailbox and each step's settings: courier/, on servers that really run",
    12: "the budget's row: courier/ and models/, on servers that really run",
    14: 'threads: courier/',
    20: 'doubt that is computed on records: models/',
    22: 'the doors: controllers/, rights, masking',
}


def _edited(edit: Edit) -> Any:
    thing = inspect.getattr_static(edit.owner, edit.name)
    source = _SOURCES.get(thing) or textwrap.dedent(inspect.getsource(thing))
    if source.count(edit.old) != 1:
        raise LookupError(f'{edit.name} does not hold once: {edit.old}')
    source = source.replace(edit.old, edit.new)
    module = sys.modules[thing.__module__]
    space: dict[str, Any] = {}
    exec(compile(source, f'<planted in {edit.name}>', 'exec'), vars(module), space)  # noqa: S102
    made = space[edit.name]
    _SOURCES[made] = source
    return made


#: of functions that were edited, so that they can be edited again
_SOURCES: dict[Any, str] = {}


@contextmanager
def planted(name: str) -> Iterator[Plant | None]:
    """Plant a bug by its name, none for ''; it is pulled out afterwards.

    :return: what is to be done to each schedule, if anything
    """
    before: list[tuple[Any, str, Any]] = []
    bug = BY_NAME[name] if name else None

    def put(owner: Any, name: str, value: Any) -> None:
        before.append((owner, name, inspect.getattr_static(owner, name)))
        setattr(owner, name, value)

    try:
        for edit in bug.edits if bug else ():
            put(edit.owner, edit.name, _edited(edit))
        for owner, attribute, value in bug.values if bug else ():
            put(owner, attribute, value)
        yield bug.plant if bug else None
    finally:
        while before:
            setattr(*before.pop())


def _in_rules(name: str, old: str, new: str) -> tuple[Edit, ...]:
    return (Edit(_Weighing, name, old, new),)


def _in_proof(name: str, old: str, new: str) -> tuple[Edit, ...]:
    return (Edit(Evidence, name, old, new),)


def _in_steps(name: str, old: str, new: str) -> tuple[Edit, ...]:
    return (Edit(steps, name, old, new),)


def _switch(thing: str, name: str, value: object = False) -> Callable[[Schedule], None]:
    def plant(schedule: Schedule) -> None:
        setattr(getattr(schedule, thing), name, value)

    return plant


def _never(*_arguments: object) -> bool:
    return False


_UNLISTED = 'if belief.known or belief.state != UNKNOWN or self.testimony.about is About.LIST:'

BUGS: tuple[Bug, ...] = (
    # ------------------------------------------------------------------
    # What is not found
    # ------------------------------------------------------------------
    Bug(
        'one_denial',
        'one "not found" is enough',
        values=((rules, 'NEEDED', 1), (rules, 'NEEDED_AFTER_DEADLINE', 1)),
        failure=6,
    ),
    Bug(
        'denial_of_known',
        'what QFPay has once known may be not found',
        _in_rules('_not_found', 'belief.known or belief.state != UNKNOWN or', ''),
        failure=6,
    ),
    Bug(
        'denial_in_a_list',
        'a number that a list leaves out is not found',
        (
            Edit(_Weighing, '_not_found', _UNLISTED, 'if belief.known or belief.state != UNKNOWN:'),
            Edit(
                _Weighing,
                '_is_denied',
                '    if said.about is About.LIST:\n        return False\n',
                '',
            ),
            Edit(Testimony, '_is_weighed', 'if self.about is About.LIST and', 'if False and'),
            Edit(
                steps,
                '_follow',
                ' and not _is_doubtful(belief)',
                '',
            ),
        ),
        failure=6,
    ),
    Bug(
        'three_seconds',
        'three seconds after the end of the request a wallet has told its host',
        values=((rules, 'SETTLING', 3.0), (steps, 'SETTLING', 3.0)),
        failure=6,
    ),
    Bug(
        'one_second_apart',
        'two denials count that are a second apart',
        values=((rules, 'APART', 1.0), (steps, 'APART', 1.0)),
        failure=6,
    ),
    Bug(
        'denial_before_the_deadline',
        'a "not found" counts before the request can have ended',
        _in_rules('_is_denied', 'belief.is_over(asked), NEEDED', 'True, NEEDED'),
        failure=6,
    ),
    Bug(
        'promise_forgotten',
        'after "carried out" without a block it counts as early as after a refusal',
        _in_rules(
            '_is_denied',
            'belief.ended is not None and not belief.promising',
            'belief.ended is not None',
        ),
        failure=6,
    ),
    Bug(
        'denial_heard_late',
        'it counts from when it was heard, however long it was under way',
        _in_rules('_is_denied', 'asked = said.asked_at or said.at', 'asked = said.at'),
    ),
    Bug(
        'no_control',
        'a refusal in unlisted words means "not found"',
        _in_rules(
            '_weigh_state',
            'Verdict.NOT_FOUND if self.finds_others else Verdict.UNKNOWN',
            'Verdict.NOT_FOUND',
        ),
    ),
    Bug(
        'bare_control',
        'a bare 6000/0000 shows that a terminal finds other payments',
        _in_rules('_weigh_control', 'is_named and ', ''),
    ),
    Bug(
        'ends_while_waiting',
        'what an inquiry says counts while the terminal waits for its customer',
        _in_rules('_weigh_verdict', 'elif belief.waiting and verdict', 'elif False and verdict'),
    ),
    # ------------------------------------------------------------------
    # What is done
    # ------------------------------------------------------------------
    Bug(
        'bare_success',
        '6000/0000 is enough',
        (
            Edit(Evidence, 'proves_done', 'not number or number ==', 'number and number =='),
            Edit(
                Evidence,
                'names_all',
                """            and bool(outcome.syssn)
            and None not in (outcome.amount_minor, outcome.trade_type)
""".replace('            ', '        '),
                '',
            ),
            Edit(
                Evidence,
                'was_made_after_the_request',
                'return day is not None and',
                'return day is None or',
            ),
        ),
        failure=4,
    ),
    Bug(
        'another_sale',
        "another sale's number with the same amount is this one's, whenever it was made",
        values=((Evidence, 'was_made_after_the_request', lambda *_arguments: True),),
        failure=4,
    ),
    Bug(
        'taken_number',
        'two rows may own one number',
        plant=_switch('database', 'notices_taken'),
        failure=16,
    ),
    Bug(
        'word_of_another',
        "that it was cancelled may be said by another row's number",
        _in_rules(
            '_weigh_state',
            'self.testimony.taken and bool(outcome.syssn)',
            'self.testimony.taken and verdict is Verdict.DONE',
        ),
    ),
    Bug(
        'refund_by_its_payment',
        "a refund is done by its payment's own answer",
        (
            Edit(Evidence, 'proves_done', ' or number == attempt.original_syssn', ''),
            Edit(
                Evidence,
                'proves_done',
                'return named is not None and (',
                'return (attempt.is_refund or named is not None) and (',
            ),
        ),
        plant=_switch('database', 'notices_taken'),
        failure=16,
    ),
    Bug(
        'generous_done',
        'what was read generously may be done',
        (
            Edit(Evidence, 'proves_done', 'not outcome.strict or ', ''),
            Edit(Evidence, 'names_all', 'outcome.strict\n        and ', ''),
        ),
        failure=16,
    ),
    Bug(
        'done_in_the_clear',
        'what is said in the clear counts though the terminal encrypts',
        _in_rules('_weigh_words', 'said.seals and not outcome.signed', 'False'),
        failure=17,
    ),
    Bug(
        'refusal_in_the_clear',
        'a refusal in the clear counts though the terminal encrypts',
        _in_rules(
            '_weigh_words',
            'elif in_the_clear or',
            'elif (in_the_clear and outcome.verdict is not Verdict.FAILED) or',
        ),
        failure=17,
    ),
    Bug(
        'notice_without_amount',
        'a notification needs no amount',
        _in_proof(
            'proves_done',
            'None not in (outcome.reference, outcome.amount_minor)',
            'outcome.reference is not None',
        ),
        failure=18,
    ),
    Bug(
        'row_without_currency',
        'a notification, or a row, needs no currency',
        _in_proof('proves_done', 'None not in (outcome.currency, outcome.trade_type)', 'True'),
        failure=18,
    ),
    Bug(
        'other_amount',
        'the amount is not compared',
        _in_proof(
            'contradiction',
            '(outcome.amount_minor, attempt.amount_minor)',
            '(outcome.amount_minor, outcome.amount_minor)',
        ),
    ),
    Bug(
        'other_reference',
        'the reference is not compared',
        _in_proof(
            'contradiction',
            'if heard is not None and heard != expected:',
            'if heard is not None and heard != expected and expected != attempt.reference:',
        ),
        failure=16,
    ),
    Bug(
        'manager_as_qfpay',
        "a manager's word is QFPay's",
        _in_rules('_become', 'said.witness is Witness.MANAGER', 'False'),
        failure=21,
    ),
    Bug(
        'paid_twice_unnoticed',
        'a second payment under one number is no news',
        (
            Edit(_Weighing, '_weigh_state', 'in outcome.also_paid:', 'in ():'),
            Edit(
                _Weighing, '_done', 'if belief.state == DONE and known_number and', 'if False and'
            ),
        ),
        failure=25,
    ),
    # ------------------------------------------------------------------
    # A terminal's refund
    # ------------------------------------------------------------------
    Bug(
        'later_refund',
        'a lost refund is found again in a later one',
        edits=_in_rules('_weigh_left', 'or self.testimony.superseded', ''),
        failure=5,
    ),
    Bug(
        'less_is_left',
        'a refund is done when less is left than before',
        _in_rules(
            '_weigh_left',
            'left == belief.left_before - attempt.amount_minor',
            'left < belief.left_before',
        ),
        failure=5,
    ),
    Bug(
        'more_is_left',
        'more may be left than our own refunds left',
        _in_proof(
            'left',
            'attempt.original_minor - self.testimony.returned_minor',
            'attempt.original_minor',
        ),
    ),
    Bug(
        'confirmed_by_nothing',
        'what a manager said of a refund is confirmed when nothing can tell any more',
        _in_rules(
            '_weigh_left',
            'belief.state in NOT_DONE and not belief.by_manager',
            'belief.state in NOT_DONE',
        ),
    ),
    Bug(
        'refunds_at_once',
        'a terminal may have two jobs, and a payment two refunds under way',
        plant=_switch('shop', 'is_one_by_one'),
        failure=15,
    ),
    # ------------------------------------------------------------------
    # How it ends
    # ------------------------------------------------------------------
    Bug(
        'lost_answer_fails',
        'a lost answer means that it failed',
        _in_rules(
            '_weigh_fact', 'self._become(UNKNOWN, said.reason)', 'self._become(FAILED, said.reason)'
        ),
    ),
    Bug(
        'sent_again',
        'what a dead process has sent is sent again',
        _in_rules('_weigh_fact', 'self._become(UNKNOWN, said.reason)', 'belief.state = DRAFT'),
        failure=1,
    ),
    Bug(
        'cancelled_unasked',
        '"cancelled" needs no question',
        _in_rules(
            '_while_open', 'if said.about is About.REQUEST and belief.cancelled_there:', 'if False:'
        ),
    ),
    Bug(
        'cancel_is_cancelled',
        'a cancel that was accepted has ended the payment',
        _in_rules(
            '_weigh_cancel',
            'self._told_to_cancel(is_refused=not is_accepted)',
            'self._become(CANCELLED if is_accepted else UNKNOWN)',
        ),
    ),
    Bug(
        'unlisted_code_fails',
        'an unknown code of the host means that it failed',
        values=((saying, 'unlisted_host_code', Verdict.FAILED),),
        failure=15,
    ),
    Bug(
        'done_is_left',
        'what was done may fail',
        (
            Edit(
                _Weighing,
                '_weigh_verdict',
                'elif belief.state in (DONE, REVERSED):',
                'elif belief.state == REVERSED:',
            ),
        ),
        (
            (
                rules,
                'TRANSITIONS',
                {
                    **states.TRANSITIONS,
                    states.DONE: frozenset({states.REVERSED, states.FAILED, states.CANCELLED}),
                },
            ),
        ),
        failure=5,
    ),
    # ------------------------------------------------------------------
    # After the end
    # ------------------------------------------------------------------
    Bug('no_look', 'the end is the end', values=((steps, 'LOOKS', ()),), failure=24),
    Bug('one_look', 'one later look is enough', values=((steps, 'LOOKS', (180.0,)),), failure=24),
    Bug(
        'early_looks',
        'two questions after the end are two looks, however early somebody pressed for them',
        _in_steps('_look_again', ' and (not looks or looked >= looks[-1])', ''),
        failure=24,
    ),
    Bug(
        'unanswered_look',
        'a look that was not answered counts',
        _in_rules(
            '_unanswered',
            'belief, said = self.belief, self.testimony',
            'belief, said = self.belief, self.testimony\n    self._look()',
        ),
        failure=15,
    ),
    Bug(
        'manager_is_the_end',
        'what a manager decided is never asked about again',
        _in_steps(
            '_look_again',
            'if belief.never_left or (is_settled and not belief.by_manager):',
            'if belief.never_left or is_settled or belief.by_manager:',
        ),
        failure=21,
    ),
    Bug(
        'reversal_unseen',
        'after a cancel nobody looks whether the payment was given back',
        _in_steps('_looks', 'return LOOKS[:1] if', 'return () if'),
    ),
    Bug(
        'reversal_of_the_expired',
        'only after a cancel that somebody wanted one looks whether the payment was given back',
        _in_steps('_looks', 'belief.cancel_wanted or belief.cancel_told', 'belief.cancel_wanted'),
    ),
    Bug(
        'own_refund_explains_all',
        'where a refund of ours took a part, it took all that is gone',
        _in_rules('_after_done', 'if attempt.returned_minor < attempt.amount_minor:', 'if False:'),
    ),
    Bug(
        'silent_after_a_day',
        'an end that nobody confirmed in a day needs no manager',
        _in_steps(
            '_look_again',
            'return _REST if is_agreed or belief.gave_up else Step(Do.GIVE_UP)',
            'return _REST',
        ),
    ),
    Bug(
        'looks_are_repetitions',
        'a look that hears the same again is no look',
        (
            Edit(
                Testimony,
                '_is_weighed',
                'not in (Verdict.PENDING, Verdict.UNKNOWN)',
                'is Verdict.NOT_FOUND',
            ),
        ),
    ),
    # ------------------------------------------------------------------
    # Clocks and pauses
    # ------------------------------------------------------------------
    Bug(
        'wall_clock',
        "spans are taken from the database's clock alone",
        (Edit(Moment, 'since', 'if self.boot and self.boot == earlier.boot:', 'if False:'),),
        failure=11,
    ),
    Bug(
        'deadline_of_another',
        'the deadline is counted from what another machine has noted',
        (Edit(Belief, 'is_over', 'first = self.sent_on.get(now.boot)', 'first = self.sent'),),
        failure=11,
    ),
    Bug(
        'pause_begins_again',
        'a pause that a clock has stretched begins anew, each time',
        _in_steps(
            '_left',
            'return left if 0 < left <= pause else 0.0',
            'return min(max(left, 0.0), pause)',
        ),
        failure=11,
    ),
    Bug(
        'told_is_reckoned',
        'whether QFPay was asked after a cancel is told by two clocks',
        _in_steps(
            '_follow',
            'is_unsettled = belief.cancel_unsettled and not belief.waiting',
            'told, asked = belief.cancel_told, belief.asked_at\n'
            '    is_unsettled = told is not None and not belief.waiting and ('
            'asked is None or asked.since(told) < 0)',
        ),
        failure=11,
    ),
    Bug(
        'control_without_pause',
        'a terminal that says nothing clearly is asked without a pause',
        _in_steps(
            '_follow',
            'Step(Do.ASK, _left_of(_pause(belief, now), belief, now), About.CONTROL)',
            'Step(Do.ASK, 0.0, About.CONTROL)',
        ),
    ),
    Bug(
        'too_old_in_silence',
        'a payment that was made too early proves nothing, and nobody hears of it',
        _in_rules('_doubt', 'if times := evidence.too_early():', 'if False:'),
        failure=11,
    ),
    Bug(
        'left_in_the_future',
        "a link whose lease lies in the future is its owner's",
        values=((courier.Link, '_is_too_far', staticmethod(_never)),),
        failure=11,
    ),
    # ------------------------------------------------------------------
    # What leaves
    # ------------------------------------------------------------------
    Bug(
        'no_safe_commit',
        'a commit is a commit',
        plant=_switch('database', 'has_safe_commits'),
        failure=1,
    ),
    Bug(
        'stale_claim',
        'a claim holds however long its process stood still',
        values=((courier.Process, '_is_stale', _never),),
        failure=15,
    ),
    Bug(
        'stale_cancel',
        'a cancel leaves when its turn comes, whatever is known by then',
        (Edit(courier.Process, '_cancel_leaves', 'if self._is_stale(call):', 'if False:'),),
        failure=7,
    ),
    Bug(
        'old_draft',
        'a draft is sent however old it is',
        values=((steps, 'FRESH', 1e9),),
        failure=15,
    ),
    Bug(
        'draft_of_the_future',
        'a draft is young when it was made later than now',
        _in_steps('_begin', 'abs(now.since(attempt.created))', 'now.since(attempt.created)'),
        failure=11,
    ),
    Bug(
        'cancel_and_cancel',
        'a cancel is told again as long as it is wanted',
        _in_steps(
            '_shall_be_cancelled',
            'belief.cancel_wanted and not belief.cancel_told:',
            'belief.cancel_wanted:',
        ),
        failure=19,
    ),
    # ------------------------------------------------------------------
    # Around the rules
    # ------------------------------------------------------------------
    Bug(
        'order_not_atomic',
        'what is due is looked at before it is charged, and not while',
        plant=_switch('shop', 'is_atomic'),
        failure=3,
    ),
    Bug(
        'line_gone_unnoticed',
        'a payment whose line was deleted is no news',
        plant=_switch('shop', 'notes_what_is_strange'),
        failure=8,
    ),
    Bug(
        'told_once',
        'what went wrong in telling it is not told again',
        plant=_switch('shop', 'tells_until_told'),
        failure=13,
    ),
    Bug(
        'long_lease',
        'who has a link and died has it for 45 seconds',
        values=((courier, 'LEASE', 45.0), (courier, 'TOO_FAR', 46.0)),
        failure=9,
    ),
    Bug(
        'sealed_for_ever',
        'a terminal that encrypted once does so for ever',
        plant=lambda schedule: setattr(schedule, 'believes_a_test', False),
        failure=23,
    ),
    Bug(
        'lost_rows_stay_lost',
        'a report about a row that is gone is thrown away',
        plant=_switch('database', 'rewrites'),
        failure=1,
    ),
)

BY_NAME = {bug.name: bug for bug in BUGS}
