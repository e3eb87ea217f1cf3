#!/bin/sh
# Writes requirements.txt from the requirements.in of the folder that is named, for every platform. It is for whoever takes a
# newer version, and not for the tests. Needs uv.
set -eu

cd "${1:?the folder}"
uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	--output-file requirements.txt requirements.in
