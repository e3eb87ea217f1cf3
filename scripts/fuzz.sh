#!/bin/sh
# Runs every fuzz target of the module for FUZZTIME, one after the other.
set -eu
GO=${GO:-go}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# fuzz runs one target of a folder. Before Go 1.27 reaching the time limit is sometimes reported as a failure
# (golang/go#75804), without an input file.
fuzz() {
	echo "fuzz: $1 $2"
	{
		"$GO" test -run '^$' -fuzz "^$2\$" -fuzztime "${FUZZTIME:-10s}" "$1" 2>&1 && status=0 || status=$?
		echo "$status" >"$work/status"
	} | tee "$work/log"
	status=$(cat "$work/status")
	[ "$status" -eq 0 ] && return 0
	if grep -q '^    context deadline exceeded$' "$work/log" && ! grep -q 'Failing input written' "$work/log"; then
		echo 'fuzz: stopped only by its time limit'
		return 0
	fi
	return "$status"
}

folders=$(find . -name '*_test.go' -exec grep -l '^func Fuzz' {} + | xargs -n 1 dirname | LC_ALL=C sort -u)
count=0
for folder in $folders; do
	listed=$("$GO" test -list '^Fuzz' "$folder")
	for target in $(echo "$listed" | grep '^Fuzz'); do
		fuzz "$folder" "$target"
		count=$((count + 1))
	done
done
if [ "$count" -eq 0 ]; then
	echo 'fuzz: no target found' >&2
	exit 1
fi
echo "fuzz: $count targets"
