"""``make demo``: the furnished shop with everything simulated, and three sales.

By card on the terminal; by a code on the till and the customer display; by the customer's code.

The environment may say ``ONCE=1`` (end after the sales), ``PORT`` (Odoo's) and ``SIMULATOR_PORT``
(the terminals' screens'); free loopback ports are taken otherwise. Every demonstration begins with
the same shop.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from pathlib import Path

from playwright.sync_api import Error as BrowserError
from playwright.sync_api import Page

from . import database, machine, odoo_run, postgres, programs, till
from .machine import Problem, say
from .server import Odoo, Process, Simulator, running

DATABASE = database.own_name('demo')
PICTURES = machine.RUN / 'demo'
TILL = 'Till 1'
SALES = 3
PAYMENTS = """
    SELECT orders.pos_reference AS "order", method.name ->> 'en_US' AS method,
           currency.name || ' ' || to_char(payment.amount, 'FM999990.00') AS amount,
           payment.payment_status AS status, payment.transaction_id AS "QFPay number",
           payment.payment_ref_no AS "channel's reference", payment.card_brand AS card,
           payment.card_no AS "last four", payment.card_type AS type,
           ledger.state AS "ledger says"
      FROM pos_payment payment
      JOIN pos_order orders ON orders.id = payment.pos_order_id
      JOIN pos_payment_method method ON method.id = payment.payment_method_id
      JOIN res_company company ON company.id = orders.company_id
      JOIN res_currency currency ON currency.id = company.currency_id
 LEFT JOIN qfpay_transaction ledger ON ledger.pos_payment_id = payment.id
  ORDER BY payment.id
"""
PAID = """
    SELECT payment.id FROM pos_payment payment
      JOIN qfpay_transaction ledger ON ledger.pos_payment_id = payment.id
     WHERE payment.payment_status = 'done' AND ledger.state = 'done'
       AND ledger.amount_minor = round(payment.amount * 100)
       AND payment.transaction_id = ledger.syssn
"""


def run() -> int:
    """Furnish, start, sell, show, serve; answer the exit code."""
    odoo_port = machine.claim_port('PORT')
    web_port = machine.claim_port('SIMULATOR_PORT')
    programs.ensure_browser()
    source = odoo_run.prepare()
    shutil.rmtree(PICTURES, ignore_errors=True)
    with (
        postgres.server(),
        machine.locked(
            machine.RUN / 'demo.lock', 'Waiting for another demonstration of this checkout to end…'
        ),
    ):
        database.create(source, DATABASE, database.ensure_addon_template(source))
        simulator = Simulator(name='demo-simulator', web_port=web_port)
        odoo = Odoo(source, DATABASE, name='demo-odoo', port=odoo_port)
        say('Starting the simulator and Odoo…')
        with running(simulator):
            _connect(simulator, odoo.url)
            with running(odoo):
                _sell(odoo, simulator)
                print(postgres.table(PAYMENTS, DATABASE), end='')
                say(f'Pictures of the sales: {PICTURES}/')
                if len(postgres.sql(PAID, DATABASE)) != SALES:
                    raise Problem('Not every sale was paid: see the table and the pictures above.')
                if os.environ.get('ONCE', '') in ('', '0'):
                    _serve(odoo, simulator)
    return 0


def _connect(simulator: Simulator, url: str) -> None:
    """Point the shop's terminals and account at the simulator's, and receipts at this Odoo."""
    for index, _address in enumerate(simulator.terminals):
        postgres.sql(
            f'UPDATE qfpay_terminal SET port = {simulator.port(index)}'
            f" WHERE name = 'Terminal {index + 1}'",
            DATABASE,
        )
    postgres.sql(f"UPDATE qfpay_account SET custom_url = '{simulator.gateway_url}'", DATABASE)
    # The cashier presses Validate, so that the paid line can be seen before the receipt.
    postgres.sql('UPDATE pos_config SET auto_validate_terminal_payment = false', DATABASE)
    postgres.sql(
        f"UPDATE ir_config_parameter SET value = '{url}' WHERE key = 'web.base.url'", DATABASE
    )


def _sell(odoo: Odoo, simulator: Simulator) -> None:
    """One sale per way to pay, as the cashier, in a real browser, with pictures."""
    ((config,),) = postgres.sql(f"SELECT id FROM pos_config WHERE name = '{TILL}'", DATABASE)
    with till.chromium() as browser:
        window = till.Till(browser, odoo.url, int(config))
        try:
            say(f'The cashier logs in and opens {TILL}…')
            window.log_in('cashier', 'cashier')
            window.open()
            _sell_by_card(window, simulator)
            window.next_order()
            _sell_by_code(window, simulator)
            window.next_order()
            _sell_by_scan(window, simulator)
        except (BrowserError, AssertionError) as error:
            _picture(window.page, 'trouble')
            print(postgres.table(PAYMENTS, DATABASE), end='')
            words = str(error).strip().splitlines()[0]
            raise Problem(f'A sale did not work: {words} (pictures: {PICTURES})') from error


def _sell_by_card(window: till.Till, simulator: Simulator) -> None:
    window.add('Porcelain Cup')
    _picture(window.page, '1-order')
    say('The cashier taps Visa/Mastercard…')
    window.pay('Visa/Mastercard')
    uuid = window.uuid()
    end = time.monotonic() + 30
    while not simulator.terminal()['screen']['job'] and time.monotonic() < end:
        time.sleep(0.1)
    _picture(window.page, '2-waiting')
    screen = window.context.new_page()
    screen.goto(simulator.web)
    screen.wait_for_timeout(500)
    _picture(screen, '3-terminal')
    screen.close()
    say('The customer holds the card to the terminal…')
    simulator.press('approve')
    window.wait_done(uuid, 60)
    _picture(window.page, '4-paid')
    window.validate()
    _picture(window.page, '5-receipt')


def _sell_by_code(window: till.Till, simulator: Simulator) -> None:
    display = window.customer_display()
    window.add('Jasmine Tea Tin')
    say('The cashier taps WeChat code…')
    window.pay('WeChat code')
    uuid = window.uuid()
    code = window.page.locator('.qfpay-code-dialog .qfpay-code img')
    code.wait_for(timeout=30_000)
    display.locator('.qfpay-customer-code img').wait_for(timeout=30_000)
    _picture(window.page, '6-code')
    _picture(display, '7-customer-display')
    say('The customer scans the code and pays…')
    simulator.gateway_act('scan')
    simulator.gateway_act('pay')
    window.wait_done(uuid, 60)
    _picture(window.page, '8-paid')
    window.validate()
    display.close()


def _sell_by_scan(window: till.Till, simulator: Simulator) -> None:
    window.add('Jasmine Tea Tin')
    say("The cashier taps Scan wallet, and scans the customer's phone…")
    window.pay('Scan wallet')
    uuid = window.uuid()
    window.page.locator('.qfpay-scan-dialog').wait_for(timeout=30_000)
    _picture(window.page, '9-scan')
    window.scan(simulator.phone_code('alipay'))
    window.wait_done(uuid, 60)
    _picture(window.page, '10-paid')
    window.validate()


def _picture(page: Page, name: str) -> Path:
    path = PICTURES / f'{name}.png'
    path.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=path)
    return path


def _serve(*servers: Process) -> None:
    """Say where everything is, and wait for Ctrl-C."""
    odoo, simulator = servers
    assert isinstance(odoo, Odoo)
    assert isinstance(simulator, Simulator)
    say(
        f"""
Open                  {odoo.url}/web/login
as                    cashier / cashier (a till), manager / manager (the ledger), admin / admin
The terminals' screen {simulator.web}   (Till 1 has terminal 1, Till 2 has terminal 2)
Logs                  {odoo.log} and {simulator.log}
Ctrl-C ends everything."""
    )
    with contextlib.suppress(KeyboardInterrupt):
        while all(server.alive() for server in servers):
            time.sleep(1)
        for server in servers:
            if not server.alive():
                raise Problem(f'{server.name} ended: {machine.last_line(server.log)}')
    say('Stopping…')
