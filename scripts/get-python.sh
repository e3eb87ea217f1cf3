#!/bin/sh
# Makes sure that there is a Python environment with what requirements.txt says, and in it the clients that
# openapi-python-client generates from the specs. It asks the system's package manager only if this machine has no Python
# that can make environments, and pip only if the environment is not what requirements.txt says.
set -eu

cd "$(dirname "$0")/../test/clients/python"
what=python
. ../../../scripts/packages.sh

specs=../../../openapi
contracts='muninx apitoken unleash service'

# sources is the fingerprint of what the clients are generated from.
sources() {
	{
		environment
		cat generator.yaml ../../../scripts/get-python.sh
		for contract in $contracts; do
			cat $specs/"$contract".yaml
		done
	} | cksum
}

has_python || install_packages 'python3 python3-venv' python3 python3
has_python || { echo "python: install Python 3.11 or later with venv and put it in the PATH" >&2; exit 1; }
python_packages
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
