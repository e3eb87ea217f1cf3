#!/bin/sh
# Makes sure that this machine has nginx and Caddy, which the tests start for themselves. It asks the system's package
# manager only for what is missing, and leaves no system service started or set to start.
set -eu

policy=/usr/sbin/policy-rc.d

found() {
	PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "$1" >/dev/null 2>&1
}

missing() {
	for program in nginx caddy; do
		found $program || echo $program
	done
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		echo "gateways: installing needs root, and there is no sudo" >&2
		return 1
	fi
}

# forbid_services has Debian's packages start nothing while they are unpacked. A policy that is there already is the
# machine's own and stays.
forbid_services() {
	if [ ! -e $policy ]; then
		trap 'as_root rm -f $policy' EXIT
		trap 'exit 1' HUP INT TERM
		printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
		as_root chmod 755 $policy
	fi
}

# stop_services is for a machine whose own policy lets packages start services. They are not to start with the machine
# either: it got them for tests.
stop_services() {
	for service in "$@"; do
		if command -v systemctl >/dev/null 2>&1; then
			as_root systemctl disable "$service" >/dev/null 2>&1 || true
			if [ -d /run/systemd/system ]; then
				as_root systemctl stop "$service" >/dev/null 2>&1 || true
			fi
		fi
		pid=$(cat "/run/$service.pid" 2>/dev/null || true)
		if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$service" ]; then
			as_root kill "$pid"
		fi
	done
}

with_apt() {
	forbid_services
	as_root apt-get update -qq
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		-o Dpkg::Options::=--force-confold "$@" >/dev/null
	stop_services "$@"
}

wanted=$(missing)
if [ -z "$wanted" ]; then
	exit 0
fi
echo "gateways: installing" $wanted >&2
if command -v apt-get >/dev/null 2>&1; then
	with_apt $wanted
elif command -v dnf >/dev/null 2>&1; then
	as_root dnf install -y -q $wanted
elif command -v brew >/dev/null 2>&1; then
	brew install --quiet $wanted
else
	echo "gateways: install nginx and caddy, and put them into the PATH" >&2
	exit 1
fi
[ -z "$(missing)" ] || { echo "gateways: installed, but not found:" $(missing) >&2; exit 1; }
