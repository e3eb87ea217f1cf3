#!/bin/sh
# Installs the PostgreSQL server programs that the tests start by themselves. Does nothing where they are found already.
# No cluster of the system is made or started.
set -eu

# found looks where find.go looks.
found() {
	for dir in "${TOKENWRIGHT_PG_BIN:-}" "$(dirname "$(command -v initdb || echo /nowhere/initdb)")" \
		/usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin "$(pg_config --bindir 2>/dev/null || true)"; do
		if [ -n "$dir" ] && [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ]; then
			echo "PostgreSQL server programs: $dir"
			return 0
		fi
	done
	return 1
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

install_with_apt() {
	as_root apt-get update
	# This package comes first, because its settings decide whether the server's makes a cluster.
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql-common
	as_root sed -i 's/^#* *create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql
}

if found; then
	exit 0
fi
if command -v apt-get >/dev/null 2>&1; then
	install_with_apt
elif command -v brew >/dev/null 2>&1; then
	brew install postgresql@17
else
	echo "install the PostgreSQL server (initdb and postgres) and put it on the PATH, or set TOKENWRIGHT_PG_BIN" >&2
	exit 1
fi
if ! found; then
	echo "the PostgreSQL server programs are installed but not where the tests look for them" >&2
	exit 1
fi
