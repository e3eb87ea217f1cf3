# What the set-up scripts share: getting what is missing from the system's package manager, and keeping to what is pinned. A
# script sets `what`, its name in messages, before it calls these.

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		echo "$what: installation needs root, and sudo is missing" >&2
		return 1
	fi
}

apt_install() {
	as_root apt-get update -qq
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		-o Dpkg::Options::=--force-confold "$@" >/dev/null
}

# install_packages takes the names that the packages have for apt, for dnf and for brew. Without any of these it does
# nothing, and the calling script finds the program still missing.
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

# found is whether there is a program, also where only root looks for programs.
found() {
	PATH=$PATH:/usr/sbin:/usr/local/sbin command -v "$1" >/dev/null 2>&1
}

policy=/usr/sbin/policy-rc.d

# forbid_services keeps Debian's packages from starting services during installation. An existing policy is the machine's own
# and stays.
forbid_services() {
	if [ ! -e $policy ]; then
		trap 'as_root rm -f $policy' EXIT
		trap 'exit 1' HUP INT TERM
		printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
		as_root chmod 755 $policy
	fi
}

# stop_services is for a machine whose own policy lets packages start services. It also disables them at boot: they were
# installed for tests only.
stop_services() {
	for service in "$@"; do
		if command -v systemctl >/dev/null 2>&1; then
			as_root systemctl disable "$service" >/dev/null 2>&1 || true
			if [ -d /run/systemd/system ]; then
				as_root systemctl stop "$service" >/dev/null 2>&1 || true
			fi
		fi
		pid=$(cat "/run/$service.pid" 2>/dev/null || true)
		if [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$service" ]; then
			as_root kill "$pid"
		fi
	done
}

# install_idle is install_packages for servers, which have one name everywhere and are not to run as services.
install_idle() {
	if command -v apt-get >/dev/null 2>&1; then
		forbid_services
	fi
	install_packages "$1" "$1" "$1"
	if command -v apt-get >/dev/null 2>&1; then
		stop_services $1
	fi
}

# as_summed is whether the files in the current folder match a list of SHA-256 sums.
as_summed() {
	if command -v sha256sum >/dev/null 2>&1; then
		sha256sum --check --status "$1" 2>/dev/null
	else
		shasum --algorithm 256 --check --status "$1" 2>/dev/null
	fi
}

# same is whether a file, which may be missing, has the text.
same() {
	[ "$1" = "$(cat "$2" 2>/dev/null || true)" ]
}

# has_python is whether there is a Python that is new enough and can make environments.
has_python() {
	python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# has_java is whether a program of Java, java or javac, is new enough.
has_java() {
	version=$("$1" -version 2>&1 | sed -n -e 's/^javac \([0-9]*\).*/\1/p' -e 's/^.* version "\([0-9]*\).*/\1/p' | head -n 1)
	[ "${version:-0}" -ge 17 ]
}

# environment is the fingerprint of the wanted .venv.
environment() {
	{
		python3 -c 'import sys; print(sys.version, sys.base_prefix)'
		cat requirements.txt
	} | cksum
}

# python_packages makes .venv match requirements.txt. No package may run a script of its own.
python_packages() {
	same "$(environment)" .venv/installed && return 0
	rm -rf .venv
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
		--requirement requirements.txt
	environment >.venv/installed
}
