#!/bin/sh
# Tidies go.mod and go.sum of each module of the workspace, or with -diff prints the differences. `go mod tidy` ignores
# go.work and would ask a proxy for these modules, so it works on a copy with replace directives for them.
set -eu

GO=${GO:-go}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

modules=$("$GO" list -m -f '{{.Path}}={{.Dir}}')

# paths lists the modules of this repository except the first, which no other module may require.
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
