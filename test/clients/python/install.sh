#!/bin/sh
# Makes sure that there is a Python environment with what requirements.txt says, and in it the clients that
# openapi-python-client generates from the specs. It asks the system's package manager only if this machine has no Python
# that can make environments, and pip only if the environment is not what requirements.txt says.
set -eu

cd "$(dirname "$0")"
specs=../../../openapi
contracts='muninx apitoken unleash service'

# ready is whether there is a Python that is new enough and can make environments.
ready() {
	python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		echo "python: installing needs root, and there is no sudo" >&2
		return 1
	fi
}

get_python() {
	echo "python: installing python3" >&2
	if command -v apt-get >/dev/null 2>&1; then
		as_root apt-get update -qq
		as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
			-o Dpkg::Options::=--force-confold python3 python3-venv >/dev/null
	elif command -v dnf >/dev/null 2>&1; then
		as_root dnf install -y -q python3
	elif command -v brew >/dev/null 2>&1; then
		brew install --quiet python3
	fi
}

# environment is the fingerprint of what the environment has to be.
environment() {
	{
		python3 -c 'import sys; print(sys.version, sys.base_prefix)'
		cat requirements.txt
	} | cksum
}

# sources is the fingerprint of what the clients are generated from.
sources() {
	{
		environment
		cat generator.yaml install.sh
		for contract in $contracts; do
			cat $specs/"$contract".yaml
		done
	} | cksum
}

same() {
	[ "$1" = "$(cat "$2" 2>/dev/null || true)" ]
}

ready || get_python
ready || { echo "python: install Python 3.11 or later with venv, and put it into the PATH" >&2; exit 1; }
if ! same "$(environment)" .venv/installed; then
	rm -rf .venv
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
		--requirement requirements.txt
	environment >.venv/installed
fi
if ! same "$(sources)" generated/installed; then
	rm -rf generated
	mkdir generated
	for contract in $contracts; do
		# It formats what it makes with ruff, which it has to find.
		PATH=$PWD/.venv/bin:$PATH .venv/bin/openapi-python-client generate --fail-on-warning --meta none \
			--config generator.yaml --path $specs/"$contract".yaml --output-path generated/"$contract" >/dev/null
	done
	sources >generated/installed
fi
