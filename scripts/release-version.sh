#!/bin/sh
# Makes the modules of this repository require each other as VERSION, a tag that is not set yet. Commit the result, and
# release it.
set -eu

cd "$(dirname "$0")/.."
: "${VERSION:?}"
for file in go.mod go.work verify/echoverify/go.mod test/clients/go.mod; do
	sed "s|^\(	github.com/tokenwright/tokenwright/[a-z/]* \)v[^ ]*|\1$VERSION|" "$file" >"$file.new"
	mv "$file.new" "$file"
done
