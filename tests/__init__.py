from . import (
    test_ledger,
    test_managing,
    test_neutralize,
    test_openapi_codes,
    test_openapi_notifications,
    test_pos_payment,
    test_refunds,
    test_start,
    test_steps,
    test_testimony,
)
