"""From a ledger whose rows were the truth to one that judges testimonies: the columns.

Before Odoo brings the tables in line: what it would refuse to add to rows that exist, or would fill
one row after the other.
"""

# The server's own words stood in QFPay's column, under QFPay's name.
_OWN_REASONS = {
    'unreachable': 'unreachable',
    'not_sent': 'too_late',
    'rate_limited': 'rate_limited',
    'nothing_known': 'nothing_known',
}
_LINKED = ('qfpay_terminal', 'qfpay_account')


def migrate(cr, version):
    _make_links(cr)
    _separate_own_reasons(cr)
    _fill_columns(cr)
    _keep_what_managers_must_see(cr)


def _make_links(cr):
    """Each terminal and each account has a link; each transaction has that of its own."""
    cr.execute(
        """
        CREATE TABLE qfpay_link (
            id SERIAL PRIMARY KEY,
            owner VARCHAR,
            lease_until TIMESTAMP,
            fence INTEGER NOT NULL DEFAULT 0,
            spent DOUBLE PRECISION
        )
        """
    )
    cr.execute('ALTER TABLE qfpay_transaction ADD COLUMN link_id INTEGER')
    for table in _LINKED:
        cr.execute(f'ALTER TABLE {table} ADD COLUMN link_id INTEGER')
        cr.execute(f'SELECT id FROM {table}')
        for (record_id,) in cr.fetchall():
            cr.execute('INSERT INTO qfpay_link DEFAULT VALUES RETURNING id')
            (link_id,) = cr.fetchone()
            cr.execute(f'UPDATE {table} SET link_id = %s WHERE id = %s', (link_id, record_id))
    cr.execute(
        """
        UPDATE qfpay_transaction row
           SET link_id = COALESCE(
                   (SELECT link_id FROM qfpay_terminal WHERE id = row.terminal_id),
                   (SELECT link_id FROM qfpay_account WHERE id = row.account_id))
        """
    )


def _separate_own_reasons(cr):
    cr.execute(
        "UPDATE qfpay_transaction SET state_source = 'inquiry' WHERE state_source = 'enquiry'"
    )
    cr.execute('ALTER TABLE qfpay_transaction ADD COLUMN reason VARCHAR')
    for code, reason in _OWN_REASONS.items():
        cr.execute(
            """
            UPDATE qfpay_transaction
               SET reason = %s, respcd = NULL, message = NULL, state_source = 'server'
             WHERE respcd = %s
            """,
            (reason, code),
        )


def _fill_columns(cr):
    cr.execute(
        """
        ALTER TABLE qfpay_transaction
          ADD COLUMN amount NUMERIC,
          ADD COLUMN by_manager BOOLEAN,
          ADD COLUMN next_step VARCHAR,
          ADD COLUMN next_step_at TIMESTAMP
        """
    )
    cr.execute(
        """
        UPDATE qfpay_transaction row
           SET amount = row.amount_minor
                        / (CASE WHEN currency.name = 'JPY' THEN 1.0 ELSE 100.0 END)
                        * (CASE WHEN row.kind = 'refund' THEN -1 ELSE 1 END),
               by_manager = row.state_source = 'manager',
               requested_at = COALESCE(row.requested_at, row.create_date)
          FROM res_currency currency
         WHERE currency.id = row.currency_id
        """
    )
    # What was under way is asked about at once; what has just ended is looked at again.
    cr.execute(
        """
        UPDATE qfpay_transaction
           SET next_step = 'number', next_step_at = NOW() AT TIME ZONE 'UTC'
         WHERE state IN ('draft', 'sent', 'pending', 'unknown')
            OR (state IN ('failed', 'cancelled') AND reason IS NULL
                AND decided_at > NOW() AT TIME ZONE 'UTC' - INTERVAL '1 day')
        """
    )


def _keep_what_managers_must_see(cr):
    """A sentence that was kept stays a sentence; a number of QFPay's that two rows have is told."""
    cr.execute(
        """
        ALTER TABLE qfpay_transaction
          ADD COLUMN alarms JSONB,
          ADD COLUMN needs_attention BOOLEAN
        """
    )
    cr.execute(
        """
        UPDATE qfpay_transaction
           SET alarms = jsonb_build_array(jsonb_build_array(attention, '', '')),
               needs_attention = TRUE
         WHERE attention IS NOT NULL AND attention != ''
        """
    )
    cr.execute(
        """
        UPDATE qfpay_transaction row
           SET alarms = COALESCE(alarms, '[]'::jsonb)
                        || jsonb_build_array(jsonb_build_array('same_number', syssn, '')),
               needs_attention = TRUE,
               syssn = NULL
         WHERE state = 'done' AND syssn IS NOT NULL
           AND EXISTS (SELECT FROM qfpay_transaction other
                        WHERE other.syssn = row.syssn AND other.state = 'done'
                          AND other.id < row.id)
        """
    )
    cr.execute('ALTER TABLE qfpay_transaction DROP COLUMN attention')
