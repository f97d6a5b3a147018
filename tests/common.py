"""A furnished shop in Hong Kong: two tills with a terminal each, a team, and another company."""

import itertools
import time
import uuid
from datetime import datetime
from urllib.error import HTTPError

from odoo import Command, api, fields
from odoo.addons.pos_payment_qfpay import courier
from odoo.addons.pos_payment_qfpay.courier import polling, runner
from odoo.tests import HttpCase, TransactionCase, new_test_user
from odoo.tests.common import release_test_lock
from odoo.tests.test_cursor import TestCursor
from odoo.tools.misc import Callbacks

from .ledger_talk import LedgerTalk
from .simulation import Simulator

# Printed in QFPay's documentation as the terminal's default.
POS_KEY = 'f46b1f08bec1f39104792cc79ec9aacd'


class Shop(LedgerTalk):
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
    # Couriers
    # ------------------------------------------------------------------

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

        def is_over():
            # whoever waits for a customer is cut off; one may just be on the way to the terminal
            self._reset_terminals()
            return not runner.is_busy(self.env.cr.dbname)

        self.wait(is_over, 'every courier to come home')

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
