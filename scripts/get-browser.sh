#!/bin/sh
# Makes sure that this machine has Chromium, which the tests start for themselves, each time with a new profile. It asks
# the system's package manager only if there is none.
set -eu

what=browser
. "$(dirname "$0")/packages.sh"

found() {
	for program in google-chrome chromium chromium-browser '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'; do
		if command -v "$program" >/dev/null 2>&1; then
			return 0
		fi
	done
	return 1
}

if found; then
	exit 0
fi
install_packages chromium chromium '--cask google-chrome' # brew's own Chromium is not signed
found || { echo "browser: install Chromium and put it in the PATH" >&2; exit 1; }
