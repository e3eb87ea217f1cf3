#!/bin/sh
# Tests the modules of this repository one after the other and prints what `go test -json` does, so that there is one
# summary of all.
set -u

status=0
"${GO:-go}" test -json "$@" ./... || status=$?
(cd test/clients && "${GO:-go}" test -json "$@" ./...) || status=$?
(cd test/clients/ogen && "${GO:-go}" test -json "$@" .) || status=$?
exit $status
