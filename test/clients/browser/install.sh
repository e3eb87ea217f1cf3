#!/bin/sh
# Makes sure that this machine has Chromium, which the tests start for themselves, each time with a new profile. It asks
# the system's package manager only if there is none.
set -eu

found() {
	for program in chromium chromium-browser google-chrome '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'; do
		if command -v "$program" >/dev/null 2>&1; then
			return 0
		fi
	done
	return 1
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		echo "browser: installing needs root, and there is no sudo" >&2
		return 1
	fi
}

with_apt() {
	as_root apt-get update -qq
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		-o Dpkg::Options::=--force-confold chromium >/dev/null
}

if found; then
	exit 0
fi
echo "browser: installing chromium" >&2
if command -v apt-get >/dev/null 2>&1; then
	with_apt
elif command -v dnf >/dev/null 2>&1; then
	as_root dnf install -y -q chromium
elif command -v brew >/dev/null 2>&1; then
	brew install --quiet --cask google-chrome # Chromium's own is not signed
else
	echo "browser: install Chromium, and put it into the PATH" >&2
	exit 1
fi
found || { echo "browser: installed, but not found: chromium" >&2; exit 1; }
