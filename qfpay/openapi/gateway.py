"""QFPay's gateway at the other end of a wire: ask, get an `Outcome`.

What moves money is sent once, ever: a payment or a refund whose answer is lost raises
`AnswerLost`, and only a query can tell what became of it. A query moves nothing and is asked
again after a pause, a few times, within a budget of seconds.

Every answer is verified on the bytes that arrived, before anything in it is looked at (the
protocol, B4). An answer with a wrong signature is no answer. One exception keeps a shop with a
wrong client key from waiting for ever: QFPay signs with the right key, so exactly the answer *your
signature is wrong* could never be verified. The codes that turn a caller away (IDENTITY_CODES) are
therefore believed unverified; they say that nothing was done, and that nothing else will be until
somebody corrects the account. An answer without any signature is believed when TLS makes sure who
sent it, and its outcome says so (`signed`).

Too many requests (HTTP 429) is `RateLimited`: the request was not looked at. `permit` is asked
before every single request, repeated ones too: there a limiter may wait, or raise RateLimited
itself. `before_first_byte` is asked when the connection stands: there whoever has waited for too
long may raise NotSent, and then nothing leaves.
"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Literal, Protocol
from urllib.parse import urlencode

from ..errors import AnswerLost, InvalidRequest, NoSuchCall, NotSent, RateLimited
from ..fields import Fields
from ..http import Reply, Wire
from ..outcome import Outcome, Verdict
from ..times import months, to_text
from .account import Account
from .answer import (
    doubted,
    read_cancel,
    read_message,
    read_object,
    read_payment,
    read_refund,
    read_row,
    read_rows,
)
from .catalogue import (
    IDENTITY_CODES,
    NOT_FOUND_CODES,
    SUCCESS,
    Action,
    return_code,
)
from .message import Cancel, Payment, Refund, check_reference, check_syssn
from .signature import SIGN_TYPE_HEADER, SIGNATURE_HEADER, Value, sendable

QUERY = '/trade/v1/query'
ROWS_PER_PAGE = 100
#: numbers in one query
MOST_NUMBERS = 100
_MOST_PAGES = 50
#: servers give as few rows a page as this, without saying so
_SHORT_PAGE = 10
#: seconds: of silence, and for everything together
_SLOW = (40.0, 45.0)
_QUICK = (10.0, 12.0)
INQUIRY_TRIES = 3
#: seconds for all tries of one inquiry together
INQUIRY_BUDGET = 25.0
_FIRST_PAUSE = 0.5
_LONGEST_RETRY_AFTER = 3600.0
#: how far our clock and QFPay's may be apart, in seconds, before a manager is told
TOLERATED_SKEW = 120.0
#: by this much around a month's end, a query names the months it means
_MONTH_MARGIN = timedelta(hours=1)
#: months in which a query looks, the newest ones
_MOST_MONTHS = 13
_FORM = {'Content-Type': 'application/x-www-form-urlencoded'}

Problem = Literal[
    'network',
    'tls',
    'address',
    'answer',
    'app_code',
    'client_key',
    'merchant',
    'clock',
    'busy',
    'service',
]
_PROBLEM_CODES: Mapping[str, Problem] = {
    **dict.fromkeys(('1105', '1106', '1107'), 'app_code'),
    **dict.fromkeys(('1108', '1109', '2003'), 'client_key'),
    **dict.fromkeys(
        ('1103', '1104', '1203', '1241', '1242', '1243', '1250', '1251', '1294'), 'merchant'
    ),
}


class Clock(Protocol):
    """Time, and waiting."""

    def now(self) -> datetime:
        """This moment, with a time zone."""

    def monotonic(self) -> float:
        """Seconds since whenever."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What a test of the connection found.

    `problem`: None when all is well, else what to look at first:

        network     nobody answers there, or not in time
        tls         somebody answers whose certificate is not QFPay's, or our date is wrong
        address     somebody answers who is not QFPay's gateway
        answer      the answer cannot be read, or is not signed with the client key
        app_code    QFPay does not know the app code, or not on this environment
        client_key  QFPay finds our signature wrong
        merchant    the merchant id is wrong, missing, not wanted, or the shop is not set up
        clock       our clock and QFPay's differ by more than TOLERATED_SKEW
        busy        too many requests
        service     QFPay is in trouble; try later

    `code`, `message`: QFPay's own, or the error's text. `skew`: seconds that our clock is ahead
    of QFPay's, None when the answer does not tell. `signed`: whether the answer was.
    """

    problem: Problem | None
    code: str = ''
    message: str = ''
    skew: float | None = None
    signed: bool = True


@dataclass(frozen=True, slots=True)
class _Answer:
    fields: Fields
    signed: bool
    skew: float | None

    @property
    def code(self) -> str:
        return self.fields.code()


class Gateway:
    """QFPay's OpenAPI for one account. May be used by several threads at once.

    `permit`, `before_first_byte`: see the top of this file. Every method returns
    an Outcome or raises NotSent, AnswerLost or RateLimited; InvalidRequest comes from making a
    request.
    """

    def __init__(
        self,
        account: Account,
        clock: Clock | None = None,
        permit: Callable[[], None] = lambda: None,
        before_first_byte: Callable[[], None] = lambda: None,
    ) -> None:
        self._account = account
        self._wire = Wire(account.base_url, 'gateway', ca_file=account.ca_file)
        self._clock = clock or SystemClock()
        self._permit = permit
        self._before_first_byte = before_first_byte
        self._most_numbers = MOST_NUMBERS

    def __repr__(self) -> str:
        return f'Gateway({self._account.base_url})'

    # ------------------------------------------------------------------
    # What moves money: sent once
    # ------------------------------------------------------------------

    def pay(self, payment: Payment) -> Outcome:
        """Make an order.

        With a code for the customer to scan: PENDING, with `qrcode` or `pay_url`; nobody has paid.
        With the customer's own code: DONE when it was charged at once, else PENDING.
        """
        answer = self._ask('POST', payment.PATH, payment.fields(), _SLOW)
        return self._of_this_merchant(read_payment(answer.fields, payment, answer.signed))

    def refund(self, refund: Refund) -> Outcome:
        """Give money back; `syssn` of the outcome is the refund's own number."""
        answer = self._ask('POST', refund.PATH, refund.fields(), _SLOW)
        return self._of_this_merchant(read_refund(answer.fields, refund, answer.signed))

    # ------------------------------------------------------------------
    # Cancelling
    # ------------------------------------------------------------------

    def cancel(self, order: Cancel) -> Outcome:
        """End an unpaid order, by the call that it names (the protocol, B9).

        DONE: QFPay took it up. FAILED: it did not; another call may do, see `answer.read_cancel`.
        The verdict is about the command: whether the customer had paid in that moment only a query
        tells. Never report this outcome as a payment's. Raises NoSuchCall where there is none.
        """
        try:
            answer = self._ask('POST', order.path, order.fields(), _QUICK)
        except NoSuchCall:
            # the documents disagree on the method
            answer = self._ask('GET', order.path, order.fields(), _QUICK)
        return read_cancel(answer.fields, answer.signed)

    # ------------------------------------------------------------------
    # Asking
    # ------------------------------------------------------------------

    def query(
        self,
        references: Sequence[str] = (),
        syssns: Sequence[str] = (),
        since: datetime | None = None,
    ) -> dict[str, Outcome]:
        """What became of transactions: one Outcome for each number, by number.

        :param references: our numbers, of payments and refunds. Either these
        :param syssns: or QFPay's numbers
        :param since: when the oldest of them was requested. QFPay looks in one calendar month at
            a time and by itself only in the present one; its own numbers are found in any
        :return: NOT_FOUND for a number of which QFPay has no record (yet); UNKNOWN, with the code
            that QFPay gave, for those it would not tell about
        """
        name, numbers = ('syssn', syssns) if syssns else ('out_trade_no', references)
        if bool(references) == bool(syssns):
            raise InvalidRequest("A query is either for our numbers or for QFPay's.")
        for number in numbers:
            (check_syssn if syssns else check_reference)(number)
        found: dict[str, Outcome] = {}
        for window in self._windows(None if syssns else since):
            missing = [number for number in dict.fromkeys(numbers) if number not in found]
            if missing:
                found |= self._look_up(name, missing, window)
        return {number: found.get(number) or _nothing_about(name, number) for number in numbers}

    def _windows(self, since: datetime | None) -> list[dict[str, Value]]:
        """The times to look in, one query each; {} leaves it to QFPay."""
        now = self._clock.now()
        pieces = months((since or now) - _MONTH_MARGIN, now + _MONTH_MARGIN)
        if since is None or len(pieces) < 2:
            return [{}]
        return [
            {'start_time': to_text(begin), 'end_time': to_text(end)}
            for begin, end in pieces[:_MOST_MONTHS]
        ]

    def _look_up(
        self, name: str, numbers: Sequence[str], window: Mapping[str, Value]
    ) -> dict[str, Outcome]:
        """The outcomes of those numbers that QFPay knows, or would not tell about."""
        found: dict[str, Outcome] = {}
        rest, size = list(numbers), self._most_numbers
        while rest:
            asked = rest[:size]
            known, refusal = self._read_pages(name, asked, window)
            found |= known
            if refusal and refusal.action == Action.BUG.value and len(asked) > 1:
                # how long a list may be is not documented: try a shorter one
                size = len(asked) // 2
                continue
            if refusal:
                return {**dict.fromkeys(rest, refusal), **found}
            self._most_numbers = max(1, min(size, self._most_numbers))
            rest = rest[size:]
        return found

    def _read_pages(
        self, name: str, asked: Sequence[str], window: Mapping[str, Value]
    ) -> tuple[dict[str, Outcome], Outcome | None]:
        """What the pages of one query hold, and QFPay's refusal to answer, if it refused."""
        found: dict[str, Outcome] = {}
        seen: set[tuple[str, str]] = set()
        for page in range(1, _MOST_PAGES + 1):
            answer = self._inquire(
                {
                    name: ','.join(asked),
                    'page': page,
                    'page_size': ROWS_PER_PAGE,
                    **window,
                }
            )
            if answer.code in NOT_FOUND_CODES:
                break
            if answer.code != SUCCESS:
                return found, _refusal(answer)
            rows = read_rows(answer.fields)
            before = len(seen)
            for row in rows:
                seen.add((row.text('syssn'), row.text('out_trade_no')))
                number, outcome = row.text(name), read_row(row, answer.signed)
                if outcome and number in asked:
                    found[number] = _weightier(self._of_this_merchant(outcome), found.get(number))
            full = answer.fields.number('page_size') or ROWS_PER_PAGE
            # one number may have rows on every page; of a list whatever is found is good enough
            is_last = len(rows) < min(full, ROWS_PER_PAGE if len(asked) > 1 else _SHORT_PAGE)
            if is_last or len(seen) == before or 1 < len(asked) == len(found):
                break
        return found, None

    def _inquire(self, fields: Mapping[str, Value]) -> _Answer:
        """Ask what moves nothing, up to a few times. Raises the last error."""
        ends_at = self._clock.monotonic() + INQUIRY_BUDGET
        pause = _FIRST_PAUSE
        for tries_left in range(INQUIRY_TRIES - 1, -1, -1):
            silence, deadline = _QUICK
            deadline = min(deadline, max(ends_at - self._clock.monotonic(), 0.0))
            try:
                return self._ask('POST', QUERY, fields, (silence, deadline))
            except NoSuchCall:
                raise
            except (NotSent, AnswerLost, RateLimited) as error:
                asked_for = error.retry_after if isinstance(error, RateLimited) else None
                # several servers that were turned away together should not come back together
                wait = (
                    pause * (1 + secrets.randbelow(250) / 1000) if asked_for is None else asked_for
                )
                if not tries_left or self._clock.monotonic() + wait >= ends_at:
                    raise
            self._clock.sleep(wait)
            pause *= 2
        raise AssertionError('unreachable')

    # ------------------------------------------------------------------
    # Testing the account
    # ------------------------------------------------------------------

    def test_connection(self) -> Diagnosis:
        """Ask about a number that was never used, and say what is wrong, if anything. No money."""
        problem: Problem | None = None
        try:
            answer = self._ask(
                'POST', QUERY, {'out_trade_no': f'test-{secrets.token_hex(12)}'}, _QUICK
            )
        except NotSent as error:
            problem = 'tls' if error.reason == 'tls' else 'network'
            return Diagnosis(problem=problem, message=error.message)
        except RateLimited as error:
            return Diagnosis(problem='busy', message=error.message)
        except NoSuchCall as error:
            return Diagnosis(problem='address', message=error.message)
        except AnswerLost as error:
            unreadable = error.reason in ('unreadable', 'too_large')
            return Diagnosis(problem='answer' if unreadable else 'network', message=error.message)
        if answer.code != SUCCESS and answer.code not in NOT_FOUND_CODES:
            problem = _PROBLEM_CODES.get(answer.code, 'service')
        elif answer.skew is not None and abs(answer.skew) > TOLERATED_SKEW:
            problem = 'clock'
        return Diagnosis(
            problem=problem,
            code=answer.code,
            message=read_message(answer.fields),
            skew=answer.skew,
            signed=answer.signed,
        )

    # ------------------------------------------------------------------
    # One request
    # ------------------------------------------------------------------

    def _ask(
        self, method: str, path: str, fields: Mapping[str, Value], patience: tuple[float, float]
    ) -> _Answer:
        """Sign, send once, verify. Raises NotSent, AnswerLost or RateLimited."""
        account = self._account
        sent = sendable({**fields, 'mchid': account.merchant_id})
        headers = {
            'X-QF-APPCODE': account.app_code,
            **account.client_key.sign_request(sent, account.sign_type),
        }
        form = urlencode(sent)
        self._permit()
        silence, deadline = patience
        if method == 'GET':
            reply = self._wire.exchange(
                'GET',
                f'{path}?{form}',
                None,
                headers,
                silence,
                deadline,
                before_first_byte=self._before_first_byte,
            )
        else:
            body = form.encode('ascii')
            reply = self._wire.exchange(
                'POST',
                path,
                body,
                headers | _FORM,
                silence,
                deadline,
                before_first_byte=self._before_first_byte,
            )
        return self._open(reply)

    def _open(self, reply: Reply) -> _Answer:
        now = self._clock.now()
        if reply.status == HTTPStatus.TOO_MANY_REQUESTS:
            raise RateLimited('QFPay asks for fewer requests.', _retry_after(reply, now))
        if reply.status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
            raise NoSuchCall(f'The gateway answered with HTTP status {reply.status}.')
        signature = reply.headers.get(SIGNATURE_HEADER.lower(), '')
        verified = self._account.client_key.verifies_answer(
            reply.body, signature, reply.headers.get(SIGN_TYPE_HEADER.lower(), '')
        )
        fields = read_object(reply.body)
        code = fields.code() if fields else ''
        if not verified and code not in IDENTITY_CODES:
            if signature:
                raise AnswerLost('The signature of the answer is wrong.', 'unreadable', reply.body)
            if not self._account.is_private:
                raise AnswerLost('The answer is not signed.', 'unreadable', reply.body)
        if fields is None or not code or reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise AnswerLost(
                f'The answer cannot be read (HTTP status {reply.status}).',
                'unreadable',
                reply.body,
            )
        return _Answer(fields, verified, _skew(reply, now))

    def _of_this_merchant(self, outcome: Outcome) -> Outcome:
        """The outcome, without its verdict when it is another merchant's."""
        ours = self._account.merchant_id
        if ours is None or outcome.merchant in (None, ours):
            return outcome
        return doubted(outcome)


def _refusal(answer: _Answer) -> Outcome:
    """What is known about a transaction when QFPay would not answer the question about it."""
    return Outcome(
        verdict=Verdict.UNKNOWN,
        code=answer.code,
        message=read_message(answer.fields),
        action=return_code(answer.code).payment.action.value,
        signed=answer.signed,
    )


def _nothing_about(name: str, number: str) -> Outcome:
    is_ours = name == 'out_trade_no'
    return Outcome(
        verdict=Verdict.NOT_FOUND,
        code=SUCCESS,
        reference=number if is_ours else None,
        syssn=None if is_ours else number,
        action=Action.CHECK.value,
    )


#: of two rows under one number the one that speaks of money
_WEIGHT = (Verdict.DONE, Verdict.PENDING, Verdict.UNKNOWN, Verdict.CANCELLED, Verdict.FAILED)


def _weightier(one: Outcome, other: Outcome | None) -> Outcome:
    """Of two rows under one number the one that counts. A second paid one is not kept quiet."""
    if other is None:
        return one
    if one.verdict is other.verdict is Verdict.DONE and one.syssn != other.syssn:
        others = (*other.also_paid, one.syssn or '')
        return replace(other, also_paid=tuple(dict.fromkeys(others)))
    return min(other, one, key=lambda outcome: _WEIGHT.index(outcome.verdict))


def _retry_after(reply: Reply, now: datetime) -> float | None:
    """The seconds that the answer asks to wait (RFC 9110, 10.2.3)."""
    text = reply.headers.get('retry-after', '').strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    else:
        until = _http_date(text)
        if until is None:
            return None
        seconds = (until - now).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER)


def _skew(reply: Reply, now: datetime) -> float | None:
    theirs = _http_date(reply.headers.get('date', ''))
    return None if theirs is None else (now - theirs).total_seconds()


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
