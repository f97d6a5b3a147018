"""From a ledger whose rows were the truth to one that judges testimonies: the testimonies.

Each row says what it was believed to be, and who had told; from there on the rules judge it.
"""


def migrate(cr, version):
    cr.execute(
        """
        INSERT INTO qfpay_testimony (
            transaction_id, at, witness, about, fact, reason, times, claim, patience, outcome)
        SELECT id,
               COALESCE(decided_at, sent_at, create_date),
               COALESCE(state_source, 'server'),
               'nothing',
               'upgraded',
               state,
               1,
               0,
               COALESCE(EXTRACT(EPOCH FROM deadline - sent_at), 0),
               jsonb_strip_nulls(jsonb_build_object(
                   'verdict', CASE WHEN state IN ('done', 'failed', 'cancelled', 'pending')
                                   THEN state ELSE 'unknown' END,
                   'code', respcd,
                   'message', message,
                   'syssn', syssn,
                   'chnlsn', chnlsn,
                   'pay_type', pay_type,
                   'card_scheme', card_scheme,
                   'card_last4', card_last4,
                   'card_type', card_type,
                   'wallet', wallet,
                   'qrcode', qrcode,
                   'refundable_minor', NULLIF(left_before_minor, -1)))
          FROM qfpay_transaction
        """
    )
    # Whoever had looked at what was strange, and when.
    cr.execute(
        """
        INSERT INTO qfpay_testimony (transaction_id, at, witness, about, fact, times, user_id)
        SELECT id, attention_cleared_at, 'manager', 'nothing', 'looked_at', 1,
               attention_cleared_by_id
          FROM qfpay_transaction
         WHERE attention_cleared_at IS NOT NULL AND needs_attention IS NOT TRUE
        """
    )
    cr.execute(
        """
        INSERT INTO qfpay_testimony
               (transaction_id, at, witness, about, fact, reason, detail, times)
        SELECT id, NOW() AT TIME ZONE 'UTC', 'server', 'nothing', 'strange', alarm->>0, alarm->>1, 1
          FROM qfpay_transaction, jsonb_array_elements(alarms) alarm
         WHERE needs_attention
        """
    )
