"""A furnished shop in Hong Kong: two tills with a terminal each, a team, and another company."""

import itertools
import time
import uuid
from contextlib import contextmanager
from datetime import datetime
from urllib.error import HTTPError

from odoo import Command, api, fields
from odoo.addons.pos_payment_qfpay import courier
from odoo.addons.pos_payment_qfpay.cashier import start, status
from odoo.addons.pos_payment_qfpay.courier import Word, polling, runner
from odoo.addons.pos_payment_qfpay.ledger.testimony import About, Fact, Witness
from odoo.addons.pos_payment_qfpay.qfpay.outcome import Outcome, Verdict
from odoo.addons.pos_payment_qfpay.qfpay.times import HONG_KONG
from odoo.tests import HttpCase, TransactionCase, new_test_user
from odoo.tests.common import release_test_lock
from odoo.tests.test_cursor import TestCursor
from odoo.tools.misc import Callbacks

from .simulation import Simulator

# Printed in QFPay's documentation as the terminal's default.
POS_KEY = 'f46b1f08bec1f39104792cc79ec9aacd'

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


class Shop:
    """Furnishes the shop once per class; mixed into one of Odoo's test cases."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(
            context=dict(cls.env.context, tracking_disable=True, no_reset_password=True)
        )
        cls.hkd = cls.env.ref('base.HKD')
        cls.usd = cls.env.ref('base.USD')
        (cls.hkd | cls.usd).active = True
        cls.journal_numbers = itertools.count(1)
        cls.company = cls._company('Harbour Goods')
        cls.env = cls.company.with_company(cls.company).env
        cls.terminal, cls.terminal_2 = cls._terminals()
        cls.bank = cls._journal('Bank', 'bank')
        cls.card = cls._method('card_payment')
        cls.wallet = cls._method('alipay')
        cls.fps = cls._method('fps')
        cls.octopus = cls._method('octopus')
        cls.product = cls.env['product.product'].create(
            {'name': 'Tea', 'type': 'service', 'available_in_pos': True, 'taxes_id': False}
        )
        cls.till, cls.till_2 = (
            cls._till(f'Till {number}', terminal)
            for number, terminal in enumerate((cls.terminal, cls.terminal_2), start=1)
        )
        cls.cash = cls.till.payment_method_ids.filtered('is_cash_count')
        cls.cashier = cls._user('qfpay_cashier', 'point_of_sale.group_pos_user')
        cls.manager = cls._user('qfpay_manager', 'point_of_sale.group_pos_manager')
        cls.clerk = cls._user('qfpay_clerk', 'base.group_user')
        cls.other_company = cls._company('Island Goods')
        cls.stranger = cls._user(
            'qfpay_stranger', 'point_of_sale.group_pos_user', company=cls.other_company
        )
        for till in (cls.till, cls.till_2):
            till.with_user(cls.manager).open_ui()
            till.current_session_id.set_opening_control(0, '')

    # ------------------------------------------------------------------
    # Furniture
    # ------------------------------------------------------------------

    @classmethod
    def _company(cls, name):
        company = cls.env['res.company'].create(
            {
                'name': name,
                'currency_id': cls.hkd.id,
                'country_id': cls.env.ref('base.hk').id,
                'bank_account_code_prefix': '1010',
                'cash_account_code_prefix': '1020',
                'transfer_account_code_prefix': '1030',
            }
        )
        # The accounts below are all that a till needs; a whole chart takes seconds to load.
        company.chart_template = 'generic_coa'
        return company

    @classmethod
    def _account(cls, name, code, account_type):
        return cls.env['account.account'].create(
            {
                'name': name,
                'code': code,
                'account_type': account_type,
                'reconcile': account_type == 'asset_receivable',
            }
        )

    @classmethod
    def _journal(cls, name, journal_type, **values):
        return cls.env['account.journal'].create(
            {
                'name': name,
                'code': f'Q{next(cls.journal_numbers)}',
                'type': journal_type,
                'company_id': cls.company.id,
                **values,
            }
        )

    @classmethod
    def _terminals(cls):
        return [
            cls.env['qfpay.terminal'].create(
                {'name': f'Counter {port}', 'host': '127.0.0.1', 'port': port, 'pos_key': POS_KEY}
            )
            # Nobody listens there; tests with a simulator write its ports here.
            for port in (1, 2)
        ]

    @classmethod
    def _method(cls, channel, **values):
        return cls.env['pos.payment.method'].create(
            {
                'name': channel,
                'journal_id': cls.bank.id,
                'receivable_account_id': cls._receivable().id,
                'payment_method_type': 'terminal',
                'use_payment_terminal': 'qfpay_ecr',
                'qfpay_ecr_channel': channel,
                **values,
            }
        )

    @classmethod
    def _receivable(cls):
        account = cls.company.account_default_pos_receivable_account_id
        if not account:
            account = cls._account('Point of Sale', '1100', 'asset_receivable')
            cls.company.account_default_pos_receivable_account_id = account
        return account

    @classmethod
    def _till(cls, name, terminal, **values):
        profit = cls._account('Profit', f'42{terminal.port}', 'income')
        loss = cls._account('Loss', f'62{terminal.port}', 'expense')
        cash = cls.env['pos.payment.method'].create(
            {
                'name': f'Cash {name}',
                'receivable_account_id': cls._receivable().id,
                'journal_id': cls._journal(
                    f'Cash {name}',
                    'cash',
                    profit_account_id=profit.id,
                    loss_account_id=loss.id,
                ).id,
            }
        )
        sales = cls._journal(f'Sales {name}', 'sale', default_account_id=profit.id)
        return cls.env['pos.config'].create(
            {
                'name': name,
                'journal_id': sales.id,
                'invoice_journal_id': sales.id,
                'qfpay_terminal_id': terminal.id,
                'payment_method_ids': [
                    Command.set((cash | cls.card | cls.wallet | cls.fps | cls.octopus).ids)
                ],
                **values,
            }
        )

    @classmethod
    def _user(cls, login, group, company=None):
        company = company or cls.company
        return new_test_user(
            cls.env,
            login,
            f'base.group_user,{group}' if group != 'base.group_user' else group,
            company_id=company.id,
            company_ids=[Command.set(company.ids)],
        )

    # ------------------------------------------------------------------
    # What a cashier does
    # ------------------------------------------------------------------

    def order(self, *payments, till=None, state='draft', refund_of=None, **values):
        """An order as the browser sends it.

        :param payments: dicts as of `line`; their amounts add up to the order's
        :param refund_of: the `pos.order` that is given back
        :return: dict for `sync_from_ui`
        """
        till = till or self.till
        total = sum(payment['amount'] for payment in payments)
        line = {
            'uuid': str(uuid.uuid4()),
            'product_id': self.product.id,
            'qty': -1 if total < 0 else 1,
            'price_unit': abs(total),
            'price_subtotal': total,
            'price_subtotal_incl': total,
            'discount': 0,
            'tax_ids': [],
        }
        if refund_of:
            line['refunded_orderline_id'] = refund_of.lines[0].id
        return {
            'uuid': str(uuid.uuid4()),
            'name': 'Order',
            'state': state,
            'session_id': till.current_session_id.id,
            'company_id': till.company_id.id,
            'user_id': self.cashier.id,
            'partner_id': False,
            'fiscal_position_id': False,
            'access_token': False,
            'date_order': fields.Datetime.to_string(fields.Datetime.now()),
            'last_order_preparation_change': '{}',
            'amount_total': total,
            'amount_paid': total,
            'amount_tax': 0,
            'amount_return': 0,
            'lines': [Command.create(line)],
            'payment_ids': [Command.create(payment) for payment in payments],
            **values,
        }

    def line(self, amount=10.1, method=None, **values):
        """A payment line as the browser sends it before any money was asked for."""
        return {
            'uuid': str(uuid.uuid4()),
            'name': '',
            'amount': amount,
            'payment_method_id': (method or self.card).id,
            'payment_date': fields.Datetime.to_string(fields.Datetime.now()),
            'payment_status': 'pending',
            'transaction_id': False,
            **values,
        }

    def sync(self, *orders, user=None):
        """The browser's synchronisation.

        :return: the `pos.order` records that it named
        """
        answer = self.env['pos.order'].with_user(user or self.cashier).sync_from_ui(list(orders))
        return self.env['pos.order'].browse([order['id'] for order in answer['pos.order']])

    def payment(self, amount=10.1, method=None, till=None, **values):
        """A line in a draft order that the server has: ready to be started."""
        order = self.sync(self.order(self.line(amount, method, **values), till=till))
        return order.payment_ids

    def paid(self, amount=10.1, method=None, till=None, syssn=None):
        """An order that was paid through QFPay, and its row of the ledger."""
        row = self.sent(amount, method=method, till=till)
        source = 'answer' if row.terminal_id else 'inquiry'
        self.learn(row, self.outcome(row, 'done', syssn=syssn or uuid.uuid4().hex), source)
        self.assertEqual(row.state, 'done')
        row.pos_order_id.with_user(self.cashier).action_pos_order_paid()
        return row

    def refund_line(self, row, amount=None, method=None, till=None):
        """A refund order for (a part of) what a row of the ledger has paid."""
        line = self.line(-(amount or row.amount), method or row.payment_method_id)
        return self.sync(self.order(line, till=till, refund_of=row.pos_order_id))[-1].payment_ids

    # ------------------------------------------------------------------
    # The ledger
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
                and (field.type == 'datetime' or name in ('tick', 'again_tick'))
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

    def keep_couriers_home(self):
        """Nobody sets out; they would look for these rows on a connection that cannot see them.

        `sent_out` and `told` list the rows that one was sent for, `woken` counts the calls to look.
        """
        self.sent_out, self.told, self.woken = [], [], 0
        self.run_hooks()
        self.patch(runner, '_runner', lambda _db_name: _StaysAtHome(self))

    def run_hooks(self):
        """Run what waits for a commit when a request commits; in a test Odoo forgets it."""
        self.patch(TestCursor, 'commit', _commit_and_run_hooks)

    def courier_here(self):
        """This process's courier, whose transactions are parts of the test's own.

        :return: courier.runner.Runner
        """

        def transact(_db_name, action):
            with self.env.cr.savepoint():
                return action(self.env(su=True))

        self.patch(runner, 'transact', transact)
        self.patch(polling, 'transact', transact)
        return runner.Runner(self.env.cr.dbname)


class _StaysAtHome:
    """Stands for this process's courier, and notes what it is asked to do.

    :param test: see `Shop.keep_couriers_home`
    """

    def __init__(self, test):
        self.test = test

    def begin(self, due):
        (self.test.told if due.lane == 'tell' else self.test.sent_out).append(due.row_id)
        return True

    def wake(self):
        self.test.woken += 1

    def take_part(self):
        pass


_SECONDS = {'datetime': "%(seconds)s * interval '1 second'", 'float': '%(seconds)s'}
_commit = TestCursor.commit


def _commit_and_run_hooks(cr):
    """As a real cursor does: what waits for the end of the transaction runs then."""
    cr.flush()
    waiting, cr.postcommit = cr.postcommit, Callbacks()
    _commit(cr)
    cr.postcommit = waiting
    waiting.run()


class ShopCase(Shop, TransactionCase):
    """The shop without a terminal: what the ledger makes of what it is told."""

    def setUp(self):
        super().setUp()
        # a request's transaction has just begun, that of these tests long ago
        self.patch(self.env.cr, 'now', datetime.now)
        self.keep_couriers_home()


class SimulatorCase(Shop, HttpCase):
    """The shop with the simulator's terminals, and the doors over HTTP.

    The courier is the real one. It shares the test's transaction, and gets to it while the test
    waits for something.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.simulator = Simulator(terminals=2)
        cls.addClassCleanup(cls.simulator.stop)
        for number, terminal in enumerate((cls.terminal, cls.terminal_2)):
            terminal.port = cls.simulator.port(number)

    def setUp(self):
        super().setUp()
        self._reset_terminals()
        self.run_hooks()
        self.addCleanup(self._end_errands)
        self.login(self.cashier)

    def stop_couriers(self):
        """Wait until nothing is carried; another courier begins when it is woken."""
        with release_test_lock():
            courier.stop(self.env.cr.dbname)

    def _end_errands(self):
        """Let no courier of this test run into the next one."""
        courier.stop(self.env.cr.dbname, patience=0)
        # whoever waits for a customer is cut off
        self._reset_terminals()
        self.stop_couriers()

    def _reset_terminals(self):
        for number in range(2):
            self.simulator.set(number, reachable=True)
            self.simulator.reset(number)

    def login(self, user):
        self.authenticate(user.login, user.login)

    def door(self, name, **params):
        return self.make_jsonrpc_request(f'/pos_payment_qfpay/{name}', params)

    def start(self, payment, **options):
        return self.door('start', payment_uuid=payment.uuid, **options)

    def status(self, *payments, **options):
        uuids = [payment.uuid for payment in payments]
        return self.door('status', payment_uuids=uuids, **options)['payments']

    def cancel(self, payment, **options):
        return self.door('cancel', payment_uuid=payment.uuid, **options)

    def row(self, payment):
        """The newest row of the ledger for a line, as the database has it now."""
        self.env.invalidate_all()
        domain = [('payment_uuid', '=', payment.uuid)]
        return self.env['qfpay.transaction'].search(domain, limit=1)

    def wait(self, condition, what, seconds=20):
        """Wait for something that happens on another thread.

        The lock on the test's cursor is free meanwhile, so that couriers get to the database.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, f'Waited in vain for {what}')
            with release_test_lock():
                time.sleep(0.05)

    def wait_for_state(self, payment, *states, seconds=20):
        """Ask as a till does until the line is in one of these states, and has been told.

        :return: the status
        """
        seen = []

        def reached():
            seen.append(self.status(payment)[0])
            return seen[-1]['state'] in states and not self.row(payment).tell_at

        self.wait(reached, f'{payment.uuid} to be {states}', seconds)
        self.env.invalidate_all()
        return seen[-1]

    def wait_for_terminal(self, state, terminal=0):
        self.wait(lambda: self.simulator.state(terminal) == state, f'the terminal to be {state}')


class TourCase(SimulatorCase):
    """The POS in a browser, with the simulator: nothing between is replaced."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.product.name = 'Porcelain Cup'
        cls.product.list_price = 45.5

    @classmethod
    def _lend(cls, name, function):
        """Let the tours call a function through `pos.config`: a page reaches no other server."""
        config_class = cls.registry['pos.config']
        setattr(config_class, name, api.model(lambda config, *args: function(*args)))
        cls.addClassCleanup(delattr, config_class, name)

    @staticmethod
    def _could(action, *args):
        """Do something at the simulator.

        :return: whether that could be done; it cannot before there is something to do it to
        """
        try:
            action(*args)
        except HTTPError:
            return False
        return True

    def _run_tour(self, name):
        # A tour logs in on the test's own cursor while the test's lock is free: a courier would
        # get between its query and the answer.
        self.stop_couriers()
        self.start_tour(f'/pos/ui/{self.till.id}', name, login=self.cashier.login)
        self.env.invalidate_all()

    def _payments(self, method):
        """The lines of a method, in the order of their making."""
        return self.env['pos.payment'].search([('payment_method_id', '=', method.id)], order='id')

    def _rows(self):
        domain = [('config_id', '=', self.till.id)]
        return self.env['qfpay.transaction'].search(domain, order='id')
