#!/bin/sh
# Makes sure that this machine has nginx and Caddy, which the tests start for themselves. It asks the system's package
# manager only for what is missing, and leaves no system service started or set to start.
set -eu

what=gateways
. "$(dirname "$0")/packages.sh"

policy=/usr/sbin/policy-rc.d

found() {
	PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "$1" >/dev/null 2>&1
}

missing() {
	for program in nginx caddy; do
		found $program || echo $program
	done
}

# forbid_services keeps Debian's packages from starting services during installation. An existing policy is the machine's own
# and stays.
forbid_services() {
	if [ ! -e $policy ]; then
		trap 'as_root rm -f $policy' EXIT
		trap 'exit 1' HUP INT TERM
		printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
		as_root chmod 755 $policy
	fi
}

# stop_services is for a machine whose own policy lets packages start services. It also disables them at boot: they were
# installed for tests only.
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

wanted=$(missing)
if [ -z "$wanted" ]; then
	exit 0
fi
wanted=$(echo $wanted)
if command -v apt-get >/dev/null 2>&1; then
	forbid_services
fi
install_packages "$wanted" "$wanted" "$wanted"
if command -v apt-get >/dev/null 2>&1; then
	stop_services $wanted
fi
[ -z "$(missing)" ] || { echo "gateways: install nginx and caddy and put them in the PATH; not found:" $(missing) >&2; exit 1; }
