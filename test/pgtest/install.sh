#!/bin/sh
# Makes sure that this machine has the programs of a PostgreSQL server, which the tests start for themselves. It looks in
# the places where find.go looks, and asks the system's package manager only if there are none. No system-wide cluster is
# made or started.
set -eu

found() {
	for dir in "${TOKENWRIGHT_PG_BIN:-}" /usr/lib/postgresql/*/bin /opt/homebrew/opt/postgresql*/bin \
		"$(pg_config --bindir 2>/dev/null || true)"; do
		[ -n "$dir" ] && [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ] && return 0
	done
	command -v initdb >/dev/null 2>&1 && command -v postgres >/dev/null 2>&1
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		echo "postgres: installing needs root, and there is no sudo" >&2
		return 1
	fi
}

# Debian's package makes and starts a cluster unless it is told not to before it is unpacked.
with_apt() {
	conf=/etc/postgresql-common/createcluster.conf
	as_root mkdir -p /etc/postgresql-common
	if [ -e $conf ]; then
		as_root sed -i 's/^#* *create_main_cluster.*/create_main_cluster = false/' $conf
	else
		echo 'create_main_cluster = false' | as_root tee $conf >/dev/null
	fi
	as_root apt-get update -qq
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		-o Dpkg::Options::=--force-confold postgresql >/dev/null
}

if found; then
	exit 0
fi
echo "postgres: no server programs here; installing them" >&2
if command -v apt-get >/dev/null 2>&1; then
	with_apt
elif command -v dnf >/dev/null 2>&1; then
	as_root dnf install -y -q postgresql-server
elif command -v brew >/dev/null 2>&1; then
	brew install --quiet postgresql@17
else
	echo "postgres: install a PostgreSQL server, or set TOKENWRIGHT_PG_BIN to the directory of initdb and postgres" >&2
	exit 1
fi
found || { echo "postgres: installed, but initdb is not found" >&2; exit 1; }
