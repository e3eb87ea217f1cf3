#!/bin/sh
# Runs a tool of tools.mod. In a workspace `go` does not accept -modfile, so the tool is built outside of it and run inside.
set -eu

program=$(GOWORK=off "${GO:-go}" -C "$(dirname "$0")/.." tool -modfile=tools.mod -n "$1")
shift
exec "$program" "$@"
