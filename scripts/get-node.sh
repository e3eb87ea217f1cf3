#!/bin/sh
# Makes sure that this machine has Node.js and the packages that the tests in test/clients and the TypeScript client use.
# It asks the system's package manager only for what is missing, and npm only if node_modules is not what the lock file
# says.
set -eu

cd "$(dirname "$0")/../test/clients"
what=node
. ../../scripts/packages.sh

oldest=20

# new_enough is whether a Node.js is there and not too old for the packages.
new_enough() {
	version=$("$1" --version 2>/dev/null) || return 1
	version=${version#v}
	[ "${version%%.*}" -ge $oldest ]
}

# ready is whether the tests find a Node.js: the one in runtime, or the machine's.
ready() {
	new_enough runtime/node_modules/node-*/bin/node || new_enough node
}

missing() {
	for program in node npm; do
		command -v $program >/dev/null 2>&1 || echo $program
	done
}

# get_programs installs node and npm, whichever is missing.
get_programs() {
	wanted=$(missing)
	[ -n "$wanted" ] || return 0
	install_packages "$(echo $(echo "$wanted" | sed 's/^node$/nodejs/'))" 'nodejs npm' node
	[ -z "$(missing)" ] || { echo "node: install Node.js $oldest or later and npm, and put them into the PATH" >&2; exit 1; }
}

# unpack installs what the lock file of a folder says. No package may run a script of its own.
unpack() {
	npm --prefix "$1" ci --include=optional --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error \
		>/dev/null
}

ready || get_programs
if ! ready; then # a stable distribution's may be too old
	echo "node: $(node --version) is too old; getting a later one for these tests alone" >&2
	get_programs
	unpack runtime
fi
ready || { echo "node: none for this machine; install Node.js $oldest or later, and put it into the PATH" >&2; exit 1; }
for folder in . ../specs ../../clients/typescript; do
	if ! cmp -s "$folder/package-lock.json" "$folder/node_modules/installed.json"; then
		get_programs
		unpack "$folder"
		cp "$folder/package-lock.json" "$folder/node_modules/installed.json"
	fi
done
