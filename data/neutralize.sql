-- A copy for testing must not reach a real terminal, and needs no real key to be looked at.
UPDATE qfpay_terminal
   SET host = NULL,
       pos_key = NULL;

UPDATE qfpay_account
   SET app_code = NULL,
       client_key = NULL,
       environment = 'sandbox',
       custom_url = NULL;

-- Nor may it ask about payments that the original is waiting for.
UPDATE qfpay_transaction
   SET state = 'failed',
       attention = 'Under way when this copy was made'
 WHERE state IN ('draft', 'sent', 'pending', 'unknown');
