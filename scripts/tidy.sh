#!/bin/sh
# Makes go.mod and go.sum of each module of the workspace tidy, or says with -diff what is not. `go mod tidy` knows nothing of
# go.work and would ask a proxy for what is here, so it works on a copy that says where the other modules are.
set -eu

GO=${GO:-go}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

modules=$("$GO" list -m -f '{{.Path}}={{.Dir}}')

# paths is the modules of this repository, but for the first, which nothing is to require.
paths() { echo "$modules" | sed 1d; }

edit() { GOWORK=off "$GO" mod edit "$@" "$work/go.mod"; }

tidy() {
	folder=$1
	shift
	cp "$folder/go.mod" "$folder/go.sum" "$work"
	edit $(paths | sed 's/^/-replace=/')
	(cd "$folder" && GOWORK=off "$GO" mod tidy -modfile="$work/go.mod" "$@")
	[ $# -eq 0 ] || return 0
	edit $(paths | sed 's/=.*//;s/^/-dropreplace=/')
	cp "$work/go.mod" "$work/go.sum" "$folder"
}

for module in $modules; do
	touch "${module#*=}/go.sum"
	tidy "${module#*=}" "$@"
done
