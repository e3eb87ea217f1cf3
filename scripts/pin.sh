#!/bin/sh
# Writes requirements.txt from the requirements.in of the given folder, for every platform. Run it to update a version; the
# tests do not need it. Needs uv.
set -eu

cd "${1:?the folder}"
uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	--output-file requirements.txt requirements.in
