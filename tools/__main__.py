"""``python -m tools COMMAND``: makes the Python environment, then runs the command inside it."""

from __future__ import annotations

import os
import sys

from . import environment, machine


def main() -> int:
    """Run a command; a :class:`machine.Problem` becomes one sentence and exit code 1."""
    machine.end_politely_on_signals()
    try:
        python = environment.ensure()
        if sys.prefix != str(environment.VENV):
            # Until here, any Python that bootstrap.sh found; from here on, the packages are there.
            os.execv(python, [str(python), '-m', 'tools', *sys.argv[1:]])
        from . import commands

        return commands.run(sys.argv[1:])
    except machine.Problem as problem:
        print(f'{problem}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == '__main__':
    sys.exit(main())
