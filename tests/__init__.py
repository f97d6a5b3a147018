from . import (
    test_ledger,
    test_start,
    test_steps,
)
