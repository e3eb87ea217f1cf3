#!/bin/sh
# Makes sure that this machine has nginx and Caddy, which the tests start for themselves. It asks the system's package
# manager only for what is missing, and leaves no system service started or set to start.
set -eu

what=gateways
. "$(dirname "$0")/packages.sh"

missing() {
	for program in nginx caddy; do
		found $program || echo $program
	done
}

wanted=$(missing)
if [ -z "$wanted" ]; then
	exit 0
fi
wanted=$(echo $wanted)
install_idle "$wanted"
[ -z "$(missing)" ] || { echo "gateways: install nginx and caddy and put them in the PATH; not found:" $(missing) >&2; exit 1; }
