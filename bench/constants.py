"""What the bench's parts, inside Odoo and outside, must agree on."""

NOTIFICATION_KEY = 'bench notification key'
OURS = 'Visa/Mastercard'
OFFICIAL = 'Official Visa/Mastercard'
PRODUCT = 'Porcelain Cup'
CUSTOMERS = 50
ROUNDS = 3  # orders that wait to be paid at each of the customers' tills
OFFICIAL_PORT = 9001  # the only one that pos_qfpay's code speaks to
CODE_TILLS = 10  # real ones; a till may have 25 payments under way
WAITING = 1300  # payment lines that wait to be paid by a shown code
NOTIFIED = 500  # payments that QFPay reports, each of them twice
NOTIFY_PACE = 50  # notifications a second
FEW, MANY = 1_000, 1_000_000  # rows of the ledger
