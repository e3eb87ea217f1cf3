#!/bin/sh
# Checks whether this commit can be released as VERSION, a tag: contracts, changelog and documents must have that version.
set -eu

cd "$(dirname "$0")/.."
: "${VERSION:?}"
fail() {
	echo "release: $1" >&2
	exit 1
}

for name in muninx apitoken unleash service; do
	cmp -s "openapi/$name.yaml" "openapi/released/$name.yaml" || fail "copy openapi/$name.yaml to openapi/released"
done
awk -v "version=${VERSION#v}" '$1 == "##" && $2 == version { found = 1 } END { exit !found }' CHANGELOG.md ||
	fail "CHANGELOG.md has no heading with ${VERSION#v}"
row=$(sed -n '/^|---/{n;s/^| *\([^ |]*\).*/\1/p;}' docs/versions.md)
[ "$row" = "${VERSION#v}" ] || fail "the first row of docs/versions.md has $row instead of ${VERSION#v}"
# The modules of this repository require each other in the version that is released, and Go finds each by a tag of its own.
if grep -h '^	github.com/tokenwright/tokenwright/[a-z/]* v' go.mod go.work verify/echoverify/go.mod | grep -Fv " $VERSION"; then
	fail "run VERSION=$VERSION sh scripts/release-version.sh"
fi
for folder in $(sed -n 's|^	\./||p' go.work); do
	[ "$(git rev-parse --quiet --verify "refs/tags/$folder/$VERSION^{commit}")" = "$(git rev-parse HEAD)" ] ||
		fail "set the tag $folder/$VERSION on this commit"
done
if grep -l 'No version is published yet' docs/*.md; then
	fail "these documents still say that no version is published"
fi
