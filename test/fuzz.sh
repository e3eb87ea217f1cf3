#!/bin/sh
# Runs every fuzz target of the module for FUZZTIME, one after the other.
set -eu
GO=${GO:-go}

folders=$(find . -name '*_test.go' -exec grep -l '^func Fuzz' {} + | xargs -n 1 dirname | LC_ALL=C sort -u)
count=0
for folder in $folders; do
	listed=$("$GO" test -list '^Fuzz' "$folder")
	for target in $(echo "$listed" | grep '^Fuzz'); do
		echo "fuzz: $folder $target"
		"$GO" test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10s}" "$folder"
		count=$((count + 1))
	done
done
if [ "$count" -eq 0 ]; then
	echo 'fuzz: no target was found' >&2
	exit 1
fi
echo "fuzz: $count targets"
