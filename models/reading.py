"""A row of the ledger under its lock: one statement reads it, and all that was said about it."""

from datetime import timedelta

from ..courier import clock
from ..ledger.belief import FACTS
from ..ledger.clock import Moment
from ..ledger.states import DONE, REVERSED
from ..ledger.testimony import Attempt
from .qfpay_link import IS_FREE, LONGEST
from .qfpay_testimony import COLUMNS, from_row

# What was asked for. From these a row is written anew, should the database lose it.
IDENTITY = (
    'account_id',
    'amount_minor',
    'boot',
    'channel',
    'company_id',
    'config_id',
    'currency_id',
    'expires_at',
    'kind',
    'link_id',
    'order_uuid',
    'original_id',
    'payment_method_id',
    'payment_uuid',
    'provider',
    'reference',
    'requested_at',
    'session_id',
    'terminal_id',
    'tick',
)
# What is believed, and what is to be done: judged anew with each word.
BELIEF = (
    *FACTS,
    'alarms',
    'answered_at',
    'asked',
    'asked_at',
    'auth_code',
    'by_manager',
    'cancel_refused',
    'cancel_requested_at',
    'claim',
    'deadline',
    'decided_at',
    'left_before_minor',
    'message',
    'needs_attention',
    'next_step',
    'next_step_at',
    'qrcode',
    'reason',
    'respcd',
    'sent_at',
    'state',
    'state_source',
    'tell_at',
    'urgent',
)
_ROW = (*IDENTITY, *BELIEF)

_LOCK = f"""
    SELECT now.utc,
           set_config('synchronous_commit', CASE current_setting('synchronous_commit')
               WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, true),
           link.owner, link.fence, {IS_FREE},
           currency.name, account.mchid, terminal.sealed, original.syssn, original.amount_minor,
           EXISTS (SELECT FROM qfpay_transaction other
                    WHERE other.syssn = %(number)s AND other.state IN %(moved)s
                      AND other.id != row.id),
           {', '.join(f'row.{name}' for name in _ROW)},
           {', '.join(f'word.{name}' for name in COLUMNS)}
      FROM (SELECT clock_timestamp() AT TIME ZONE 'UTC' AS utc) now,
           qfpay_transaction row
      JOIN qfpay_link link ON link.id = row.link_id
      JOIN res_currency currency ON currency.id = row.currency_id
 LEFT JOIN qfpay_account account ON account.id = row.account_id
 LEFT JOIN qfpay_terminal terminal ON terminal.id = row.terminal_id
 LEFT JOIN qfpay_transaction original ON original.id = row.original_id
 LEFT JOIN qfpay_testimony word ON word.transaction_id = row.id
     WHERE row.id = %(id)s
  ORDER BY word.id
       FOR UPDATE OF row
"""  # noqa: S608 (our own names)
_AROUND = 11


class Read:
    """The row: `now`; who has its link (`owner`, `fence`, `link_is_free`); its `columns`; whether
    its terminal is known to encrypt (`seals`); whether another row has QFPay's number that was
    asked for (`taken`); and the `testimonies`."""

    def __init__(self, found):
        first = found[0]
        at, _safe, self.owner, self.fence, self.link_is_free = first[:5]
        self._currency, self._merchant, seals, self._original_syssn, original = first[5:10]
        self._original_minor = original or 0
        self.seals, self.taken = bool(seals), first[10]
        self.now = Moment(at, clock.boot(), clock.tick())
        words = _AROUND + len(_ROW)
        self.columns = dict(zip(_ROW, first[_AROUND:words], strict=True))
        self.testimonies = [from_row(line[words:]) for line in found if line[words] is not None]

    @property
    def identity(self):
        """What a row is written anew from."""
        return {name: self.columns[name] for name in IDENTITY}

    def moment(self, tick):
        """When this machine's steady clock showed `tick`: the database may have been away since."""
        late = max(self.now.tick - tick, 0.0)
        return Moment(self.now.at - timedelta(seconds=late), self.now.boot, tick)

    def attempt(self, returned_minor):
        """What was asked for, as the rules read it.

        :param int returned_minor: see `ledger.testimony.Attempt`
        """
        row = self.columns
        return Attempt(
            reference=row['reference'],
            kind=row['kind'],
            provider=row['provider'],
            channel=row['channel'],
            amount_minor=row['amount_minor'],
            currency=self._currency,
            created=Moment(row['requested_at'], row['boot'] or '', row['tick'] or 0.0),
            merchant=self._merchant or None,
            original_syssn=self._original_syssn,
            original_minor=self._original_minor,
            returned_minor=returned_minor,
        )


def lock(cr, row_id, number=None):
    """Wait for a row, and read it.

    :param str number: one of QFPay's, see `Read.taken`
    :return: Read; None when the row is gone
    """
    values = {'id': row_id, 'number': number, 'moved': (DONE, REVERSED), 'longest': LONGEST}
    # whoever was slower runs again: nothing to log
    cr.execute(_LOCK, values, log_exceptions=False)
    found = cr.fetchall()
    return Read(found) if found else None
