#!/bin/sh
# Makes sure that this machine has PgBouncer, which the tests start for themselves. It asks the system's package manager only
# if it is missing, and leaves no system service started or set to start.
set -eu

what=pgbouncer
. "$(dirname "$0")/packages.sh"

found pgbouncer && exit 0
install_idle pgbouncer
found pgbouncer || { echo "pgbouncer: install PgBouncer and put it in the PATH" >&2; exit 1; }
