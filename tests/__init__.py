from . import (
    test_ledger,
    test_managing,
    test_pos_payment,
    test_refunds,
    test_start,
    test_steps,
    test_testimony,
)
