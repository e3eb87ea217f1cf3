#!/bin/sh
# Generates the code and fails if that changed anything under gen, or if anything there is not committed. Other changes in
# the tree do not matter.
set -eu

fingerprint() { find gen test/corvid/gen -type f -exec cksum {} + | LC_ALL=C sort; }

before=$(fingerprint)
"${GO:-go}" generate ./...
if [ "$before" != "$(fingerprint)" ]; then
	echo 'gen-check: gen did not match the specs and has been regenerated: review the changes and commit them.' >&2
	git status --short -- gen test/corvid/gen >&2
	exit 1
fi

# git status, because git diff does not see new files; into a variable, because a failure in a test is not fatal.
changes=$(git status --porcelain -- gen test/corvid/gen)
if [ -n "$changes" ]; then
	echo 'gen-check: gen matches the specs, but is not committed:' >&2
	echo "$changes" >&2
	exit 1
fi
echo 'gen-check: gen matches the specs.'
