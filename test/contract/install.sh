#!/bin/sh
# Gets the independent tools of the contract tests into this folder: Schemathesis with every package that it needs, by
# version and hash, and Specmatic by version and hash. It asks the system's package manager only for what is missing, and
# fetches nothing that is here already.
set -eu

cd "$(dirname "$0")"
what=contract
. ../packages.sh

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

# missing are the programs that are not here; npm is needed only to fetch.
missing() {
	has_python || echo python
	has_java || echo java
	has_npm || jar_is_right .specmatic/specmatic.jar || echo npm
}

get_programs() {
	wanted=$(missing)
	[ -n "$wanted" ] || return 0
	install_packages "$(named 'python3 python3-venv' default-jre-headless npm)" \
		"$(named python3 java-latest-openjdk-headless npm)" "$(named python openjdk node)"
	[ -z "$(missing)" ] || { echo "contract: install Python 3.10, Java 17 and npm, or later; not found:" $(missing) >&2; exit 1; }
}

# named gives what is wanted the names of a package manager, for Python, Java and npm.
named() {
	echo $(echo "$wanted" | sed -e "s/^python\$/$1/" -e "s/^java\$/$2/" -e "s/^npm\$/$3/")
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
