#!/bin/bash
# Everything starts here, on a machine that may not have Python yet. Finds a Python that can make
# a virtual environment, installing Debian's where there is none, and hands over to tools/.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

usable() {
    command -v "$1" >/dev/null &&
        "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' \
            2>/dev/null
}

choose() {
    local candidate
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.10 /usr/bin/python3}; do
        if usable "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

give_up() {
    echo "$1" >&2
    exit 1
}

too_old() {
    give_up "Odoo 19 needs Python 3.10 to 3.13, and $(python3 --version 2>&1) is what is here: name another in PYTHON."
}

if ! python=$(choose); then
    [ -z "${PYTHON:-}" ] ||
        give_up "PYTHON=$PYTHON cannot be used: Odoo 19 needs Python 3.10 to 3.13 with its venv module."
    ! command -v python3 >/dev/null ||
        python3 -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' ||
        too_old
    command -v apt-get >/dev/null ||
        give_up 'Odoo 19 needs Python 3.10 to 3.13 with its venv module: install one and try again.'
    by_hand='run "apt-get install python3-venv" as root, then try again.'
    as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            give_up "Python is missing, and you are not root and have no sudo: $by_hand"
        sudo -v || give_up "Python is missing, and sudo did not let you install it: $by_hand"
        as_root=(sudo)
    fi
    echo 'Installing Python…'
    "${as_root[@]}" apt-get -q update ||
        give_up 'apt-get update failed: Python cannot be installed (is there a network?).'
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q -y --no-install-recommends install python3 python3-venv ||
        give_up 'apt-get could not install python3-venv: see its words above.'
    python=$(choose) || too_old
fi

PYTHONPATH="$root" PYTHONDONTWRITEBYTECODE=1 exec "$python" -m tools "$@"
