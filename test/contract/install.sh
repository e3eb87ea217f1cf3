#!/bin/sh
# Gets the independent tools of the contract tests into this folder: Schemathesis with every package that it needs, by
# version and hash, and Specmatic by version and hash. It asks the system's package manager only for what is missing, and
# fetches nothing that is here already.
set -eu

cd "$(dirname "$0")"
specmatic=2.0.38
specmatic_sum=e44a9a262db409bec7e337ae9314e361b5c756ffbdc46c6af34deb4edb8249f1

# has_python is whether there is a Python that can make environments, and new enough for the packages.
has_python() {
	python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1
}

has_java() {
	java -version >/dev/null 2>&1
}

has_npm() {
	command -v npm >/dev/null 2>&1
}

jar_is_right() {
	[ -f "$1" ] && [ "$(sum "$1")" = $specmatic_sum ]
}

sum() {
	if command -v sha256sum >/dev/null 2>&1; then
		sha256sum "$1" | cut -d ' ' -f 1
	else
		shasum -a 256 "$1" | cut -d ' ' -f 1
	fi
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		echo "contract: installing needs root, and there is no sudo" >&2
		return 1
	fi
}

# missing are the programs that are not here; npm is needed only to fetch.
missing() {
	has_python || echo python
	has_java || echo java
	has_npm || jar_is_right .specmatic/specmatic.jar || echo npm
}

with_apt() {
	packages=$(echo "$wanted" | sed -e 's/^python$/python3 python3-venv/' -e 's/^java$/default-jre-headless/')
	as_root apt-get update -qq
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		-o Dpkg::Options::=--force-confold $packages >/dev/null
}

with_dnf() {
	as_root dnf install -y -q $(echo "$wanted" | sed -e 's/^python$/python3/' -e 's/^java$/java-latest-openjdk-headless/')
}

with_brew() {
	brew install --quiet $(echo "$wanted" | sed -e 's/^java$/openjdk/' -e 's/^npm$/node/')
}

get_programs() {
	wanted=$(missing)
	[ -n "$wanted" ] || return 0
	echo "contract: installing" $wanted >&2
	if command -v apt-get >/dev/null 2>&1; then
		with_apt
	elif command -v dnf >/dev/null 2>&1; then
		with_dnf
	elif command -v brew >/dev/null 2>&1; then
		with_brew
	fi
	[ -z "$(missing)" ] || { echo "contract: install Python 3.10, Java 17 and npm, or later; not found:" $(missing) >&2; exit 1; }
}

# get_schemathesis installs what requirements.txt says. No package may run a script of its own.
get_schemathesis() {
	cmp -s requirements.txt .venv/installed.txt && return 0
	rm -rf .venv
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
		--requirement requirements.txt
	cp requirements.txt .venv/installed.txt
}

# get_specmatic takes the jar out of its npm package and needs nothing else of that.
get_specmatic() {
	jar_is_right .specmatic/specmatic.jar && return 0
	rm -rf .specmatic
	mkdir .specmatic
	npm pack --silent --ignore-scripts --no-update-notifier --pack-destination .specmatic specmatic@$specmatic >/dev/null
	tar -xzf .specmatic/specmatic-$specmatic.tgz -C .specmatic --strip-components 1 package/specmatic.jar
	rm .specmatic/specmatic-$specmatic.tgz
	jar_is_right .specmatic/specmatic.jar || { echo "contract: Specmatic is not the one that was expected" >&2; exit 1; }
}

get_programs
get_schemathesis
get_specmatic
