"""``python tests_pure/simulation``: plays schedules; see `command`."""

import sys
from pathlib import Path


def _main() -> int:
    # the addon as a package without its own __init__, which needs Odoo
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    import conftest  # noqa: F401, I001 (first of all)
    from pos_payment_qfpay.tests_pure.simulation import command

    return command.main(sys.argv[1:])


if __name__ == '__main__':
    sys.exit(_main())
