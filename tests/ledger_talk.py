"""What a till, a courier, QFPay and time do to the ledger, in a test's few words."""

from contextlib import contextmanager
from datetime import datetime

from odoo.addons.pos_payment_qfpay.cashier import start, status
from odoo.addons.pos_payment_qfpay.courier import Word
from odoo.addons.pos_payment_qfpay.ledger.testimony import About, Fact, Witness
from odoo.addons.pos_payment_qfpay.qfpay.outcome import Outcome, Verdict
from odoo.addons.pos_payment_qfpay.qfpay.times import HONG_KONG

# A process that carries, and another one.
CARRIER, OTHER_CARRIER = 'carrier-one', 'carrier-two'

# Who says something, and to what question.
SOURCES = {
    'answer': (Witness.ANSWER, About.REQUEST),
    'inquiry': (Witness.INQUIRY, About.NUMBER),
    'list': (Witness.INQUIRY, About.LIST),
    'left': (Witness.INQUIRY, About.ORIGINAL),
    'notification': (Witness.NOTIFICATION, About.NOTHING),
}

_SECONDS = {'datetime': "%(seconds)s * interval '1 second'", 'float': '%(seconds)s'}


class LedgerTalk:
    """Mixed into a case with a shop, see `common.Shop`."""

    # ------------------------------------------------------------------
    # At the till
    # ------------------------------------------------------------------

    def env_of(self, user=None):
        """The environment of a user's request, in the companies of that user."""
        user = user or self.cashier
        return self.env(user=user, su=False, context={'allowed_company_ids': user.company_ids.ids})

    def begin(self, payment, auth_code='', user=None, **tapped):
        """Start a line as the cashier's door does.

        :param tapped: 'tap' and 'asked_at'
        :return: the row of the ledger, as the system sees it
        """
        told = start.start(self.env_of(user), payment.uuid, auth_code, **tapped)
        return self.env['qfpay.transaction'].search([('reference', '=', told['reference'])])

    def assert_refused(self, code, payment, auth_code='', user=None, **tapped):
        """The line is not started, for this reason.

        :return: what the cashier reads
        """
        before = self.env['qfpay.transaction'].search_count([])
        with self.assertRaises(start.StartRefused) as refusal:
            self.begin(payment, auth_code, user, **tapped)
        self.assertEqual(refusal.exception.code, code)
        self.assertEqual(self.env['qfpay.transaction'].search_count([]), before)
        return refusal.exception.message

    def cancel_line(self, row, user=None):
        """Press "cancel" at the till; answer the status that it reads."""
        return status.cancel(self.env_of(user), row.payment_uuid)

    def sent(self, amount=10.1, method=None, auth_code='', **values):
        """A payment whose request is on its way, and nothing is known."""
        row = self.begin(self.payment(amount, method, **values), auth_code)
        self.send_out(row)
        return row

    def sent_refund(self, paid, amount=None, **values):
        """A refund whose request is on its way."""
        row = self.begin(self.refund_line(paid, amount, **values))
        self.send_out(row)
        return row

    # ------------------------------------------------------------------
    # A courier's steps
    # ------------------------------------------------------------------

    def send_out(self, row):
        """The request leaves. A terminal's refund first asks what is left of its payment.

        :return: the errand
        """
        errand = self.claim(row, 'send')
        if errand.about is About.ORIGINAL:
            self.report(errand, self.left(row))
            errand = self.claim(row, 'send')
        self.assertIs(errand.about, About.REQUEST)
        self.assertEqual(row.state, 'sent')
        return errand

    def claim(self, row, lane='talk', carrier=CARRIER):
        """The next step of a row, as a courier takes it.

        :return: the errand; None when there is nothing to carry
        """
        errand, has_news = row._claim_step(carrier, lane)
        if has_news:
            row._tell()
        return errand

    def report(self, errand, outcome=None, **word):
        """What came of an errand.

        :return: seconds until the next step; None at rest
        """
        answers = errand.about in (About.REQUEST, About.CANCEL)
        witness = Witness.ANSWER if answers else Witness.INQUIRY
        if outcome is None:
            witness = Witness.SERVER
        ledger = self.env['qfpay.transaction']
        after, has_news = ledger._take_report(
            errand,
            Word(
                witness=witness,
                about=errand.about,
                outcome=outcome,
                claim=errand.claim,
                seals=errand.seals,
                **word,
            ),
        )
        row = ledger.browse(errand.transaction_id).exists()
        if row and has_news:
            row._tell()
        return after

    # ------------------------------------------------------------------
    # What is said
    # ------------------------------------------------------------------

    def outcome(self, row, verdict, **values):
        """What a truthful witness says about a row."""
        facts = {
            'amount_minor': row.amount_minor,
            'currency': row.currency_id.name,
            'reference': row.reference,
            'strict': True,
            'trade_type': row.kind,
        }
        if verdict == 'done':
            facts.update(syssn=f'{row.reference}-at-qfpay', traded_at=datetime.now(HONG_KONG))
        if row.kind == 'refund':
            facts['orig_syssn'] = row.original_id.syssn
        if row.kind == 'refund' and row.provider == 'ecr':
            # the terminal gives it a number of its own
            facts['reference'] = None
        return Outcome(**{'verdict': Verdict(verdict), **facts, **values})

    def left(self, refund, minor=None, **values):
        """What a truthful terminal says is left of the payment that a refund gives back."""
        paid = refund.original_id
        return Outcome(
            **{
                'verdict': Verdict.DONE,
                'syssn': paid.syssn,
                'trade_type': 'payment',
                'strict': True,
                'refundable_minor': paid._refundable_minor() if minor is None else minor,
                **values,
            }
        )

    def learn(self, row, outcome, source):
        """QFPay says something about a row, and whoever it concerns is told.

        :param source: one of SOURCES
        """
        witness, about = SOURCES[source]
        row._hear(Word(witness=witness, about=about, outcome=outcome))
        row._tell()

    def note(self, row, fact, about=About.REQUEST, **word):
        """This server knows something by itself."""
        row._hear(Word(witness=Witness.SERVER, about=about, fact=fact, **word))
        row._tell()

    def lose_answer(self, row):
        """The request has left, and its answer does not come."""
        self.note(row, Fact.ANSWER_LOST, reason='timeout', claim=row.claim)

    def not_found(self, row):
        """QFPay, asked about this number alone, has no such payment.

        :return: the row's state
        """
        outcome = Outcome(verdict=Verdict.NOT_FOUND, code='6002', message='no such order')
        self.learn(row, outcome, 'inquiry')
        return row.state

    def row_in(self, state, **values):
        """A payment at a terminal that came to be in a state as it usually does."""
        if state == 'draft':
            return self.begin(self.payment(**values))
        row = self.sent(**values)
        if state in ('done', 'reversed'):
            self.learn(row, self.outcome(row, 'done'), 'answer')
            if state == 'reversed':
                self.learn(row, self.outcome(row, 'cancelled', cancel=1), 'inquiry')
        elif state == 'unknown':
            self.lose_answer(row)
        elif state != 'sent':
            self.learn(row, self.outcome(row, state), 'answer')
            if state == 'cancelled':
                # it may cross with an approval: one question settles it
                self.not_found(row)
        self.assertEqual(row.state, state)
        return row

    def close(self, row):
        """Make way on its terminal for the next one."""
        self.learn(row, self.outcome(row, 'failed'), 'answer')
        self.assertEqual(row.state, 'failed')

    # ------------------------------------------------------------------
    # Time
    # ------------------------------------------------------------------

    def age(self, rows, seconds, clocks=('datetime', 'float')):
        """Let time pass: whatever happened with these rows was so many seconds earlier.

        :param clocks: by which of the two: the database's ('datetime') and the steady one ('float')
        """
        self.env.flush_all()
        for records in (rows, rows.testimony_ids):
            shifts = [
                f'"{name}" = "{name}" - {_SECONDS[field.type]}'
                for name, field in records._fields.items()
                if field.store
                and field.type in clocks
                and (field.type == 'datetime' or name.endswith('tick'))
            ]
            self.env.cr.execute(
                f'UPDATE {records._table} SET {", ".join(shifts)} WHERE id = ANY(%(ids)s)',
                {'seconds': seconds, 'ids': records.ids},
            )
        self.env.invalidate_all()

    def set_clock(self, rows, seconds):
        """Somebody sets the database's clock, forwards or back; the steady clocks do not know."""
        self.age(rows, seconds, ('datetime',))

    def end_lease(self, row):
        """The process that has the link of a row gives no sign of life any more."""
        self.env.cr.execute(
            "UPDATE qfpay_link SET lease_until = lease_until - interval '1 minute' WHERE id = %s",
            [row.link_id.id],
        )
        self.env.invalidate_all()

    def due(self, lane, carrier=CARRIER):
        """What a look of this process finds to be done in a lane.

        :return: list of courier.runner.Due
        """
        self.env.flush_all()
        looked = self.env['qfpay.link']._look(carrier, set(), {})
        self.env.invalidate_all()
        return [due for due in looked.due if due.lane == lane]

    def alarms(self, row):
        """Why a manager must look, in the ledger's own words."""
        return [what for what, *_details in row.alarms or ()]

    @contextmanager
    def rewound(self):
        """What happens inside is undone in the end."""
        with self.env.cr.savepoint() as savepoint:
            yield
            savepoint.rollback()
        self.env.invalidate_all()
