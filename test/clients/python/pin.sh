#!/bin/sh
# Writes requirements.txt from requirements.in, for every platform. It is for whoever takes a newer version, and not for
# the tests. Needs uv.
set -eu

cd "$(dirname "$0")"
uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	--output-file requirements.txt requirements.in
