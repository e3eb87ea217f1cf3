#!/bin/sh
# Tests the modules of this repository one after the other and prints the output of `go test -json`, so that there is one
# summary of all. The examples of the Go clients call a server: test/modules starts one for them.
set -u

status=0
"${GO:-go}" test -json "$@" $("${GO:-go}" list work | grep -v '/gen/[a-z]*/client$') || status=$?
(cd test/clients && "${GO:-go}" test -json "$@" ./...) || status=$?
(cd test/clients/ogen && "${GO:-go}" test -json "$@" .) || status=$?
exit $status
