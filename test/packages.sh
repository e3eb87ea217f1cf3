# What the set-up scripts share: getting what is missing from the system's package manager. A script sets `what`, its name
# in messages, before it calls these.

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		echo "$what: installing needs root, and there is no sudo" >&2
		return 1
	fi
}

apt_install() {
	as_root apt-get update -qq
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		-o Dpkg::Options::=--force-confold "$@" >/dev/null
}

# install_packages takes the names that the packages have for apt, for dnf and for brew. A system without any of these is
# left as it is, which the script then finds.
install_packages() {
	echo "$what: installing $1" >&2
	if command -v apt-get >/dev/null 2>&1; then
		apt_install $1
	elif command -v dnf >/dev/null 2>&1; then
		as_root dnf install -y -q $2
	elif command -v brew >/dev/null 2>&1; then
		brew install --quiet $3
	fi
}
