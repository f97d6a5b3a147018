-- A copy for testing must not reach a real terminal, and needs no real key to be looked at.
UPDATE qfpay_terminal
   SET host = NULL,
       pos_key = NULL;

UPDATE qfpay_account
   SET app_code = NULL,
       client_key = NULL,
       environment = 'sandbox',
       custom_url = NULL,
       notify_token = MD5(RANDOM()::TEXT || id);

-- Nor may it ask about payments that the original is waiting for, or looks at again.
INSERT INTO qfpay_testimony (transaction_id, at, witness, about, fact, reason, times)
SELECT id, NOW() AT TIME ZONE 'UTC', 'server', 'nothing', 'upgraded', 'failed', 1
  FROM qfpay_transaction
 WHERE state IN ('draft', 'sent', 'pending', 'unknown');

UPDATE qfpay_transaction
   SET state = 'failed',
       alarms = '[["neutralized", "", ""]]',
       needs_attention = TRUE
 WHERE state IN ('draft', 'sent', 'pending', 'unknown');

UPDATE qfpay_transaction
   SET auth_code = NULL,
       next_step = NULL,
       next_step_at = NULL,
       tell_at = NULL;

UPDATE qfpay_link
   SET owner = NULL,
       lease_until = NULL;
