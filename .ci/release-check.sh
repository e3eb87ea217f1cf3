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
[ "$(grep -o 'cmd/tokenwright@[^ ]*' docs/ci.md)" = "cmd/tokenwright@$VERSION" ] || fail "docs/ci.md installs another version than $VERSION"
