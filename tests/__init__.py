from . import (
    test_ledger,
    test_managing,
    test_refunds,
    test_start,
    test_steps,
    test_testimony,
)
