#!/bin/sh
# Downloads the jars of pom.xml, checks them against jars.sha256, generates clients of all contracts and compiles them. It
# needs a JDK and Maven, and asks the system's package manager for them only if they are missing.
set -eu

cd "$(dirname "$0")/../test/clients/java"
what=java
. ../../../scripts/packages.sh

specs=../../../openapi
contracts='muninx apitoken unleash service'

missing() {
	has_java javac || echo javac
	command -v mvn >/dev/null 2>&1 || echo mvn
}

get_programs() {
	[ -n "$(missing)" ] || return 0
	install_packages 'default-jdk-headless maven' 'java-17-openjdk-devel maven' 'openjdk maven'
	[ -z "$(missing)" ] || { echo "java: install JDK 17 or later and Maven and put them in the PATH" >&2; exit 1; }
}

# as_pinned is whether every jar exists and has its pinned checksum.
as_pinned() {
	[ -d lib ] && (cd lib && as_summed ../jars.sha256)
}

sources() {
	{
		cat pom.xml jars.sha256 ../../../scripts/get-java.sh
		for contract in $contracts; do
			cat $specs/"$contract".yaml
		done
	} | cksum
}

# generate makes the client of a contract in packages of its name.
generate() {
	java -jar lib/openapi-generator-cli.jar generate --generator-name java --library native \
		--input-spec $specs/"$1".yaml --output generated/"$1" \
		--additional-properties=hideGenerationTimestamp=true,invokerPackage="$1",apiPackage="$1".api,modelPackage="$1".model \
		>generated/"$1".log 2>&1 || { cat generated/"$1".log >&2; exit 1; }
}

get_programs
if ! as_pinned; then
	rm -rf lib
	mvn --quiet --strict-checksums --batch-mode --no-transfer-progress dependency:copy
	as_pinned || { echo "java: the checksum of a jar does not match jars.sha256" >&2; exit 1; }
fi
if ! same "$(sources)" generated/installed; then
	rm -rf generated
	mkdir generated
	for contract in $contracts; do
		generate "$contract"
	done
	# The generated code uses what Jackson has deprecated, and names no serial version.
	find generated/*/src/main -name '*.java' >generated/files
	javac -proc:none -Xlint:all,-deprecation,-serial -Werror -cp 'lib/*' -d generated/classes @generated/files
	sources >generated/installed
fi
