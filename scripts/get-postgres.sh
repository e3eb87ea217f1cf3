#!/bin/sh
# Makes sure that this machine has the programs of a PostgreSQL server, which the tests start for themselves. It looks in
# the places where find.go looks, and asks the system's package manager only if there are none. No system-wide cluster is
# made or started.
set -eu

what=postgres
. "$(dirname "$0")/packages.sh"

found() {
	for dir in "${TOKENWRIGHT_PG_BIN:-}" /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin \
		"$(pg_config --bindir 2>/dev/null || true)"; do
		[ -n "$dir" ] && [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ] && return 0
	done
	command -v initdb >/dev/null 2>&1 && command -v postgres >/dev/null 2>&1
}

# Debian's package makes and starts a cluster unless it is told not to before it is unpacked.
forbid_cluster() {
	conf=/etc/postgresql-common/createcluster.conf
	as_root mkdir -p /etc/postgresql-common
	if [ -e $conf ]; then
		as_root sed -i 's/^#* *create_main_cluster.*/create_main_cluster = false/' $conf
	else
		echo 'create_main_cluster = false' | as_root tee $conf >/dev/null
	fi
}

if found; then
	exit 0
fi
if command -v apt-get >/dev/null 2>&1; then
	forbid_cluster
fi
install_packages postgresql "postgresql-server postgresql-contrib" postgresql@17
if ! found; then
	echo "postgres: install a PostgreSQL server, or set TOKENWRIGHT_PG_BIN to the directory of initdb and postgres" >&2
	exit 1
fi
