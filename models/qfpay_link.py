"""A link: one way to QFPay, a terminal or an account, and which process of all servers has it.

The owner holds the link by a lease of a few seconds that it renews itself. `fence` grows with each
claim: a report under an older one comes from somebody who has lost the link since. Nothing about a
till's payment is written here, and nothing here is ever written by a till's request, so nobody's
transaction is rolled back for it.
"""

from datetime import timedelta

from odoo import api, fields, models

from ..courier.carrying import Word
from ..courier.polling import Round
from ..courier.runner import Due, Looked
from ..ledger.states import AT_QFPAY, DRAFT, SENT
from ..ledger.steps import LONGEST_RETRY
from ..ledger.testimony import About, Fact, Witness

# Seconds that a claim holds without a sign of life. A lease that lies further ahead than it can
# was made before somebody set the clock back, and is over.
LEASE = 8
MARGIN = 2
RENEWED_AT = 6
# What is due further ahead than anything can be, in seconds, was written before the clock was set
# back.
FAR = LONGEST_RETRY + 60
MOST_LOOKED_AT = 1000
# Rows that are due so soon, in seconds, are asked about in the same round: as good as all.
TOGETHER = 2.5

LONGEST = LEASE + MARGIN
IS_FREE = """
    (link.owner IS NULL
     OR link.lease_until < clock_timestamp() AT TIME ZONE 'UTC'
     OR link.lease_until > clock_timestamp() AT TIME ZONE 'UTC' + %(longest)s * interval '1 second')
"""


class QFPayLink(models.Model):
    _name = 'qfpay.link'
    _description = 'QFPay Link'
    _log_access = False

    owner = fields.Char(readonly=True)
    lease_until = fields.Datetime(readonly=True)
    fence = fields.Integer(readonly=True, required=True, default=0)
    spent = fields.Float(
        readonly=True, help='Seconds until the budget of requests was full again, when last told.'
    )

    @api.model
    def _look(self, who, busy, spent):
        """What the courier of one process has to do; see `courier.runner`.

        Renews the leases of the links that are busy there or have payments at QFPay, and gives the
        others back.

        :param str who: the process
        :param set busy: the ids of the links for which it carries something
        :param dict spent: by link, the seconds until its budget is full again
        :return: courier.runner.Looked
        """
        self.env.cr.execute(
            f"""
            SELECT link.id, link.owner = %(who)s, {IS_FREE}, link.owner IS NOT NULL,
                   EXTRACT(EPOCH FROM link.lease_until - now.utc),
                   row.id, row.account_id IS NOT NULL, row.config_id, row.state, row.next_step,
                   EXTRACT(EPOCH FROM row.next_step_at - now.utc),
                   EXTRACT(EPOCH FROM row.tell_at - now.utc)
              FROM (SELECT clock_timestamp() AT TIME ZONE 'UTC' AS utc) now,
                   qfpay_link link
         LEFT JOIN qfpay_transaction row
                ON row.link_id = link.id
               AND (row.next_step_at IS NOT NULL OR row.tell_at IS NOT NULL)
          ORDER BY row.next_step_at
             LIMIT %(most)s
            """,  # noqa: S608 (our own names)
            {'who': who, 'longest': LONGEST, 'most': MOST_LOOKED_AT},
            log_exceptions=False,
        )
        looked = Looked()
        in_use, leases = set(busy), {}
        for (
            link_id, is_mine, is_free, is_owned, lease_left,
            row_id, is_account, till_id, state, step, step_in, tell_in,
        ) in self.env.cr.fetchall():  # fmt: skip
            if is_mine:
                leases[link_id] = lease_left
            elif is_owned and not is_free:
                looked.others = True
            if state in AT_QFPAY:
                in_use.add(link_id)
            if tell_in is not None and tell_in <= 0:
                looked.due.append(Due('tell', row_id, 0, False, till_id))
            if step_in is None:
                continue
            # nobody waits for the answer to what a process sent that is gone
            is_left_behind = state == SENT and is_free
            if not (step_in <= 0 or step_in > FAR or is_left_behind):
                looked.soon = min(looked.soon or FAR, float(step_in))
            elif is_mine or is_free:
                lane = 'send' if state == DRAFT else 'list' if step == 'list' else 'talk'
                looked.due.append(Due(lane, row_id, link_id, is_account, till_id))
        looked.owned = {link_id for link_id in leases if link_id in in_use}
        self._keep(
            who,
            [link_id for link_id in looked.owned if not RENEWED_AT < leases[link_id] <= LEASE],
            spent,
        )
        self._give_back(who, leases.keys() - looked.owned)
        return looked

    @api.model
    def _keep(self, who, link_ids, spent):
        """Renew leases; what was spent of a budget is handed on with the link."""
        for link_id in link_ids:
            self.env.cr.execute(
                """
                UPDATE qfpay_link
                   SET spent = %s,
                       lease_until = clock_timestamp() AT TIME ZONE 'UTC'
                                     + %s * interval '1 second'
                 WHERE id = %s AND owner = %s
                """,
                (spent.get(link_id, 0.0), LEASE, link_id, who),
                log_exceptions=False,
            )

    @api.model
    def _give_back(self, who, link_ids):
        """Nothing is open there: any process may take it at once."""
        if not link_ids:
            return
        self.env.cr.execute(
            """
            UPDATE qfpay_link link
               SET owner = NULL, lease_until = NULL
             WHERE id IN %s AND owner = %s
               AND NOT EXISTS (SELECT FROM qfpay_transaction row
                                WHERE row.link_id = link.id AND row.state IN %s)
            """,
            (tuple(link_ids), who, AT_QFPAY),
            log_exceptions=False,
        )

    @api.model
    def _leave(self, who):
        """A process ends: whoever looks next may have its links."""
        self.env.cr.execute(
            'UPDATE qfpay_link SET owner = NULL, lease_until = NULL WHERE owner = %s', [who]
        )

    def _hold(self, who):
        """Make `who` the owner, if it is not and nobody else is.

        :return: the fence; None when another process has the link
        """
        self.ensure_one()
        self.env.cr.execute(
            f"""
            UPDATE qfpay_link link
               SET fence = CASE WHEN link.owner = %(who)s THEN link.fence ELSE link.fence + 1 END,
                   owner = %(who)s,
                   lease_until = clock_timestamp() AT TIME ZONE 'UTC'
                                 + %(lease)s * interval '1 second'
             WHERE id = %(id)s AND (link.owner = %(who)s OR {IS_FREE})
         RETURNING link.fence
            """,  # noqa: S608 (our own names)
            {'who': who, 'id': self.id, 'lease': LEASE, 'longest': LONGEST},
            log_exceptions=False,
        )
        found = self.env.cr.fetchone()
        return found[0] if found else None

    def _claim_round(self, who):
        """What to ask about all that is due on this account's link.

        :return: courier.polling.Round; None when nothing is due, or another process has the link
        """
        self.ensure_one()
        fence = self._hold(who)
        if fence is None:
            return None
        now = self._clock()
        rows = self.env['qfpay.transaction'].search_fetch(
            [
                ('link_id', '=', self.id),
                ('state', 'in', AT_QFPAY),
                ('next_step', '=', 'list'),
                '|',
                ('next_step_at', '<=', now + timedelta(seconds=TOGETHER)),
                ('next_step_at', '>', now + timedelta(seconds=FAR)),
            ],
            ['account_id', 'claim', 'reference', 'requested_at', 'state'],
            order='id',
            limit=1000,
        )
        for row in rows.filtered(lambda row: row.state == SENT and row.claim != fence):
            row._hear(Word(witness=Witness.SERVER, about=About.REQUEST, fact=Fact.TAKEN_OVER))
        account = rows.account_id[:1]
        if not rows or not account._is_set_up():
            return None
        return Round(
            account=account._credentials(),
            rows={row.reference: row.id for row in rows},
            since=min(rows.mapped(lambda row: row._requested())),
            claim=fence,
        )

    @api.model
    def _clock(self):
        """The database's time: what several servers compare is compared by it."""
        self.env.cr.execute("SELECT clock_timestamp() AT TIME ZONE 'UTC'")
        return self.env.cr.fetchone()[0]
