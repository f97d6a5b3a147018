"""Run in Odoo's shell on a copy of the furnished shop: what the ledger's questions cost with few
rows, and with a thousand times as many.

Writes JSON where QFPAY_BENCH_ANSWER says: by question, the milliseconds with FEW rows and with
MANY.
"""

import json
import os
import time
from statistics import median

from odoo.addons.pos_payment_qfpay.cashier.status import look_up
from odoo.addons.pos_payment_qfpay.models.reading import lock

from bench.constants import FEW, MANY

env = globals()['env']

CALLS = 60
LIST = ['reference', 'amount', 'state', 'create_date']


def fill(first, last):
    """Rows that have ended, each with what was said about it, and the newest one still open."""
    env.cr.execute(
        """
        INSERT INTO qfpay_transaction (reference, kind, provider, channel, payment_method_id,
            terminal_id, link_id, config_id, session_id, company_id, payment_uuid, order_uuid,
            order_attempt, amount_minor, amount, currency_id, state, syssn, requested_at, sent_at,
            decided_at, create_date)
        SELECT 'row-' || n || '-1', 'payment', 'ecr', 'card_payment', method.id, terminal.id,
               terminal.link_id, config.id, session.id, config.company_id, 'row-' || n,
               'order-' || n, 1, 1000, 10, currency.id, 'done',
               '20260101' || LPAD(n::text, 18, '0'),
               at, at, at, at
          FROM generate_series(%(first)s, %(last)s) n,
               LATERAL (SELECT NOW() AT TIME ZONE 'UTC' - (%(last)s - n) * INTERVAL '10 s' AS at) t,
               (SELECT * FROM qfpay_terminal ORDER BY id LIMIT 1) terminal,
               (SELECT * FROM pos_config WHERE name = 'Till 1') config,
               (SELECT * FROM pos_session ORDER BY id DESC LIMIT 1) session,
               (SELECT * FROM pos_payment_method WHERE use_payment_terminal = 'qfpay_ecr'
                 ORDER BY id LIMIT 1) method,
               (SELECT * FROM res_currency WHERE name = 'HKD') currency
        """,
        {'first': first, 'last': last},
    )
    env.cr.execute(
        """
        INSERT INTO qfpay_testimony (transaction_id, at, witness, about, fact, outcome, times)
        SELECT row.id, row.sent_at, word.witness, word.about, word.fact, word.outcome, 1
          FROM qfpay_transaction row,
               (VALUES ('server', 'request', 'sent', NULL::jsonb),
                       ('answer', 'request', NULL, '{"verdict": "done", "strict": true}'::jsonb),
                       ('inquiry', 'number', NULL, '{"verdict": "done", "strict": true}'::jsonb))
               AS word (witness, about, fact, outcome)
         WHERE row.id > COALESCE((SELECT MAX(transaction_id) FROM qfpay_testimony), 0)
        """
    )
    env.cr.commit()
    # as a server that has run for a while
    env.cr._cnx.autocommit = True
    env.cr.execute('VACUUM ANALYZE qfpay_transaction')
    env.cr.execute('VACUUM ANALYZE qfpay_testimony')
    env.cr._cnx.autocommit = False
    env.invalidate_all()


def questions(last):
    """The ledger's questions, by name; each asks about another row each time."""
    ledger = env['qfpay.transaction']
    account = env['qfpay.account'].search([], limit=1)
    numbers = iter(range(last, 0, -1))

    def row():
        return f'row-{next(numbers)}'

    def list_page():
        # without Odoo's count, which stops at ten thousand
        ledger.search_fetch([], LIST, limit=80).read(LIST)

    return {
        "a till's status": lambda: look_up(env, row()),
        'a word about a row': lambda: lock(
            env.cr, ledger.search([('payment_uuid', '=', row())]).id
        ),
        "a notification's match": lambda: ledger.search(
            [
                ('reference', '=', f'{row()}-1'),
                ('company_id', '=', account.company_id.id),
                ('account_id', 'in', (account.id, False)),
            ]
        ),
        'an order before a start': lambda: ledger.search([('order_uuid', '=', row())]),
        'what is due': lambda: env['qfpay.link']._look('bench', set(), {}),
        'what needs a manager': lambda: ledger.search([('needs_attention', '=', True)], limit=80),
        "the list's first page": list_page,
    }


def measure(last):
    found = {}
    for name, ask in questions(last).items():
        took = []
        for _call in range(CALLS):
            env.invalidate_all()
            began = time.perf_counter()
            ask()
            took.append((time.perf_counter() - began) * 1000)
            env.cr.rollback()
        found[name] = median(took[5:])
    return found


session = env['pos.session'].search([], limit=1)
if not session:
    till = env['pos.config'].search([('name', '=', 'Till 1')])
    env['pos.session'].create({'config_id': till.id})
fill(1, FEW)
few = measure(FEW)
fill(FEW + 1, MANY)
many = measure(MANY)
with open(os.environ['QFPAY_BENCH_ANSWER'], 'w') as answer:
    json.dump({name: [few[name], many[name]] for name in few}, answer)
