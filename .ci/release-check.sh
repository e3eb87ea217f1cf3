#!/bin/sh
# Whether what is here may be released as VERSION, a tag: contracts, changelog and documents have to speak of it.
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
[ "$row" = "${VERSION#v}" ] || fail "the first row of docs/versions.md is of $row, not of ${VERSION#v}"
if grep -l 'No version is published yet' docs/*.md; then
	fail "these documents say that no version is published"
fi
