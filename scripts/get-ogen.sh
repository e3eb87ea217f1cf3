#!/bin/sh
# Generates clients of all contracts with ogen into gen, which is not committed. It does so only if the specs, the settings
# or the generator have changed since the last time.
set -eu

cd "$(dirname "$0")/../test/clients/ogen"
specs=../../../openapi
contracts='muninx apitoken unleash service'

fingerprint() {
	for contract in $contracts; do
		cat $specs/"$contract".yaml
	done | cat - ogen.yaml go.mod ../../../scripts/get-ogen.sh | cksum
}

"${GO:-go}" tool -n ogen >/dev/null # so that tests find it built, too
if [ "$(fingerprint)" = "$(cat gen/generated 2>/dev/null || true)" ]; then
	exit 0
fi
rm -rf gen
for contract in $contracts; do
	# It warns of every header that is not in Go's canonical form, and fails where it matters.
	"${GO:-go}" tool ogen --config ogen.yaml --package "$contract" --target gen/"$contract" --loglevel error $specs/"$contract".yaml
done
fingerprint >gen/generated
