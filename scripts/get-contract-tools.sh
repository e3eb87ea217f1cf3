#!/bin/sh
# Gets the independent tools of the contract tests into test/contract: Schemathesis with every package that it needs, by
# version and hash, and Specmatic by version and hash. It asks the system's package manager only for what is missing, and
# fetches nothing that is here already.
set -eu

cd "$(dirname "$0")/../test/contract"
what=contract
. ../../scripts/packages.sh

specmatic=2.0.38

has_npm() {
	command -v npm >/dev/null 2>&1
}

has_jar() {
	[ -d .specmatic ] && (cd .specmatic && as_summed ../specmatic.sha256)
}

# missing are the programs that are not here; npm is needed only to fetch.
missing() {
	has_python || echo python
	has_java java || echo java
	has_npm || has_jar || echo npm
}

get_programs() {
	wanted=$(missing)
	[ -n "$wanted" ] || return 0
	install_packages "$(named 'python3 python3-venv' default-jre-headless npm)" \
		"$(named python3 java-latest-openjdk-headless npm)" "$(named python openjdk node)"
	[ -z "$(missing)" ] || { echo "contract: install Python 3.11, Java 17 and npm, or later; not found:" $(missing) >&2; exit 1; }
}

# named translates the wanted programs into package names, given those of Python, Java and npm.
named() {
	echo $(echo "$wanted" | sed -e "s/^python\$/$1/" -e "s/^java\$/$2/" -e "s/^npm\$/$3/")
}

# get_specmatic extracts only the jar from the npm package.
get_specmatic() {
	has_jar && return 0
	rm -rf .specmatic
	mkdir .specmatic
	npm pack --silent --ignore-scripts --no-update-notifier --pack-destination .specmatic specmatic@$specmatic >/dev/null
	tar -xzf .specmatic/specmatic-$specmatic.tgz -C .specmatic --strip-components 1 package/specmatic.jar
	rm .specmatic/specmatic-$specmatic.tgz
	has_jar || { echo "contract: the checksum of Specmatic does not match" >&2; exit 1; }
}

get_programs
python_packages
get_specmatic
