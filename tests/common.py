"""A furnished shop in Hong Kong: two tills with a terminal each, a team, and another company."""

import itertools
import time
import uuid
from urllib.error import HTTPError

from odoo import Command, api, fields
from odoo.addons.pos_payment_qfpay import courier
from odoo.addons.pos_payment_qfpay.models.qfpay_states import OPEN_STATES
from odoo.addons.pos_payment_qfpay.qfpay.outcome import Outcome, Verdict
from odoo.tests import HttpCase, TransactionCase, new_test_user
from odoo.tests.common import release_test_lock

from .simulation import Simulator

# Printed in QFPay's documentation as the terminal's default.
POS_KEY = 'f46b1f08bec1f39104792cc79ec9aacd'


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
        payment = self.payment(amount, method, till)
        row = self.begin(payment)
        row._claim()
        row._learn(self.outcome(row, 'done', syssn=syssn or uuid.uuid4().hex), 'answer')
        self.assertEqual(row.state, 'done')
        payment.pos_order_id.with_user(self.cashier).action_pos_order_paid()
        return row

    def refund_line(self, row, amount=None, method=None, till=None):
        """A refund order for (a part of) what a row of the ledger has paid."""
        line = self.line(-(amount or row.amount), method or row.payment_method_id)
        return self.sync(self.order(line, till=till, refund_of=row.pos_order_id))[-1].payment_ids

    # ------------------------------------------------------------------
    # The ledger
    # ------------------------------------------------------------------

    def ledger(self, user=None):
        user = user or self.cashier
        companies = user.company_ids.ids
        ledger = self.env['qfpay.transaction'].with_user(user)
        return ledger.with_context(allowed_company_ids=companies)

    def begin(self, payment, user=None):
        """Start a line as the cashier's door does.

        :return: the row of the ledger, as the system sees it
        """
        status = self.ledger(user)._start(payment.uuid)
        return self.env['qfpay.transaction'].search([('reference', '=', status['reference'])])

    def outcome(self, row, verdict, **values):
        """What a truthful witness says about a row."""
        facts = {'amount_minor': row.amount_minor, 'currency': 'HKD', 'reference': row.reference}
        if row.kind == 'refund':
            facts.update(reference=None, orig_syssn=row.original_id.syssn)
        return Outcome(**{'verdict': Verdict(verdict), **facts, **values})


class ShopCase(Shop, TransactionCase):
    """The shop without a terminal: what the ledger makes of what it is told.

    Couriers stay at home: they would look for these rows on a connection that cannot see them.
    `sent_out` and `told_to_call_off` list the rows that one was sent for.
    """

    def setUp(self):
        super().setUp()
        self.sent_out = []
        self.told_to_call_off = []
        self.patch(courier, 'carry', lambda db_name, row_id: self.sent_out.append(row_id))
        self.patch(courier, 'ask_once', lambda db_name, row_id: None)
        self.patch(
            courier, 'call_off', lambda db_name, row_id: self.told_to_call_off.append(row_id)
        )


class SimulatorCase(Shop, HttpCase):
    """The shop with the simulator's terminals, and the doors over HTTP.

    In a test Odoo does not run what waits for the end of a transaction. So the courier does not
    set out with `start`, but when the till asks for the first time.
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
        self.simulator.reset(0)
        self.simulator.reset(1)
        self.addCleanup(self._end_errands)
        self.login(self.cashier)

    def _end_errands(self):
        """Let no courier of this test run into the next one."""
        self.env.invalidate_all()
        rows = self.env['qfpay.transaction'].search([('state', 'in', OPEN_STATES)])
        # A manager's word ends the asking; the reset ends the waiting for a customer.
        for row in rows:
            row._move('failed', 'manager', {})
        self.env.flush_all()
        for number in range(2):
            self.simulator.set(number, reachable=True)
            self.simulator.reset(number)
        for row in rows:
            courier.carry(self.env.cr.dbname, row.id)
        self.wait_for_couriers()

    def login(self, user):
        self.authenticate(user.login, user.login)

    def start(self, payment):
        return self.make_jsonrpc_request('/pos_payment_qfpay/start', {'payment_uuid': payment.uuid})

    def status(self, *payments, **options):
        uuids = [payment.uuid for payment in payments]
        params = {'payment_uuids': uuids, **options}
        return self.make_jsonrpc_request('/pos_payment_qfpay/status', params)['payments']

    def cancel(self, payment):
        return self.make_jsonrpc_request(
            '/pos_payment_qfpay/cancel', {'payment_uuid': payment.uuid}
        )

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

    def wait_for_couriers(self):
        self.wait(
            lambda: not courier._jobs._wakers and not courier._rounds._wakers,
            'every courier to come home',
        )

    def wait_for_state(self, payment, *states, seconds=20):
        """Ask as a till does until the line is in one of these states.

        :return: the status
        """
        seen = []

        def reached():
            seen.append(self.status(payment)[0])
            return seen[-1]['state'] in states

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
        self.start_tour(f'/pos/ui/{self.till.id}', name, login=self.cashier.login)
        self.env.invalidate_all()

    def _payments(self, method):
        """The lines of a method, in the order of their making."""
        return self.env['pos.payment'].search([('payment_method_id', '=', method.id)], order='id')

    def _rows(self):
        domain = [('config_id', '=', self.till.id)]
        return self.env['qfpay.transaction'].search(domain, order='id')
