#!/bin/sh
# Builds the files of a release into dist: static binaries, the contracts, the clients, a list of what is inside (CycloneDX)
# and checksums. VERSION is the version's tag.
set -eu

cd "$(dirname "$0")/.."
: "${GO:=go}" "${VERSION:?}"
dist=$PWD/dist
contracts='muninx apitoken unleash service'
targets="linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64"

tar --version 2>/dev/null | grep -q GNU || { echo "release: needs GNU tar" >&2; exit 1; }
rm -rf "$dist"
mkdir -p "$dist"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# reproducible creates archives that depend only on their contents.
reproducible() {
	tar --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime="@$epoch" -C "$1" -cf "$work/tar" .
	gzip -n <"$work/tar" >"$2"
}

# licences collects the licences of Go and of all modules in the program, which require their distribution.
licences() {
	mkdir -p "$1/go"
	cp "$("$GO" env GOROOT)/LICENSE" "$1/go"
	"$GO" list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' ./cmd/tokenwright >"$work/modules"
	sort -u "$work/modules" | while read -r module source; do
		mkdir -p "$1/$module"
		find "$source" -maxdepth 1 -type f \( -iname 'licen[cs]e*' -o -iname 'copying*' -o -iname 'notice*' \) -exec cp {} "$1/$module" \;
		find "$1/$module" -type f | grep -q . || { echo "release: $module has no licence" >&2; return 1; }
	done
}

# binary builds the program for one system, beside the licences and documents.
binary() {
	os=${1%/*} arch=${1#*/} suffix=
	[ "$os" != windows ] || suffix=.exe
	folder=$work/$os-$arch
	mkdir -p "$folder"
	CGO_ENABLED=0 GOOS=$os GOARCH=$arch "$GO" build -trimpath -ldflags "-s -w -X main.version=$VERSION" \
		-o "$folder/tokenwright$suffix" ./cmd/tokenwright
	cp LICENSE README.md CHANGELOG.md "$folder"
	GOOS=$os GOARCH=$arch licences "$folder/licences"
	reproducible "$folder" "$dist/tokenwright_${VERSION}_${os}_$arch.tar.gz"
}

# specs has the contracts as they are served.
specs() {
	mkdir -p "$work/openapi"
	for name in $contracts; do
		cp "openapi/$name.yaml" "$work/openapi"
	done
	cp LICENSE "$work/openapi"
	reproducible "$work/openapi" "$dist/tokenwright_${VERSION}_openapi.tar.gz"
}

# clients has the generated Go clients, a module each, and the npm package.
clients() {
	mkdir -p "$work/clients"
	for name in $contracts; do
		mkdir -p "$work/clients/$name"
		cp "gen/$name/client/client.gen.go" "gen/$name/client/go.mod" "gen/$name/client/go.sum" "$work/clients/$name"
	done
	cp LICENSE "$work/clients"
	reproducible "$work/clients" "$dist/tokenwright_${VERSION}_go_clients.tar.gz"
	npm pack --silent --pack-destination "$dist" ./clients/typescript >/dev/null
}

epoch=$(git log -1 --format=%ct)
for target in $targets; do
	binary "$target"
done
specs
clients
GO="$GO" sh scripts/tool.sh cyclonedx-gomod app -json -licenses=false -noserial -output "$dist/tokenwright_${VERSION}_sbom.cdx.json" \
	-main cmd/tokenwright .
cd "$dist"
sha256sum -- * >SHA256SUMS
cat SHA256SUMS
