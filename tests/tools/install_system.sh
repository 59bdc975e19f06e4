#!/bin/sh
# Installs the Debian packages that the demo and the tests need, and only those that are missing.
# What Debian 12 does not have new enough (Rust, Node) is not installed behind your back: the command is printed.
set -eu
cd "$(dirname "$0")/../.."

missing=""
broken=""

# want COMMAND PACKAGE
want() {
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

# want_file FILE PACKAGE
want_file() {
    [ -e "$1" ] || missing="$missing $2"
}

# at_least NAME FOUND NEEDED COMMAND: FOUND is a version, or nothing when the tool is missing.
at_least() {
    if [ -z "$2" ]; then
        broken="$broken
  $1 $3 or newer is missing: $4"
    elif [ "$(printf '%s\n%s\n' "$3" "$2" | sort -V | head -n 1)" != "$3" ]; then
        broken="$broken
  $1 is $2, and $3 or newer is needed: $4"
    fi
}

rust="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --component clippy,rustfmt"
node="curl -fsSL https://deb.nodesource.com/setup_20.x | sudo bash - && sudo apt-get install -y nodejs"
python="sudo apt-get install -y python3"
at_least cargo "$(cargo --version 2>/dev/null | cut -d ' ' -f 2)" "$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)" "$rust"
at_least node "$(node --version 2>/dev/null | tr -d v)" 20 "$node"
at_least npm "$(npm --version 2>/dev/null)" 9 "$node"
at_least "${PYTHON:-python3}" "$("${PYTHON:-python3}" -c 'import platform; print(platform.python_version())' 2>/dev/null)" 3.11 "$python"
cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 || broken="$broken
  rustfmt or clippy is missing: rustup component add rustfmt clippy"
if [ -n "$broken" ]; then
    printf 'tools are missing, install them and try again:%s\n' "$broken" >&2
    exit 1
fi

want gcc gcc
want cc gcc
want g++ g++
want valgrind valgrind
want pkg-config pkg-config
want as binutils
want abidiff abigail-tools
want_file /usr/include/cjson/cJSON.h libcjson-dev
want qemu-system-x86_64 qemu-system-x86
want Xvnc tigervnc-standalone-server
want tigervncpasswd tigervnc-tools
want xsetroot x11-xserver-utils
want xev x11-utils
want socat socat
want php php-cli
want phpunit phpunit
want cgi-fcgi libfcgi-bin
want composer composer
want unzip unzip
ls /usr/sbin/php-fpm* >/dev/null 2>&1 || missing="$missing php-fpm"
php -m 2>/dev/null | grep -qx zip || missing="$missing php-zip"
want script bsdutils
want zsh zsh
want fish fish
want man man-db
want_file /usr/share/novnc/vnc.html novnc
[ -n "${CONSOLEPASS_CHROMIUM:-}" ] || want chromium chromium
"${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
[ -n "$missing" ] || exit 0

# Unquoted on purpose: a list of words.
set -- apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 $missing
by_hand="sudo apt-get update && sudo $*"
if ! command -v apt-get >/dev/null 2>&1; then
    printf 'these Debian packages are missing, and there is no apt-get here:%s\n' "$missing" >&2
    exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root="sudo -n"
elif command -v sudo >/dev/null 2>&1 && [ -t 0 ]; then
    as_root="sudo"
else
    printf 'these packages are missing, and only root can install them; run this and try again:\n  %s\n' "$by_hand" >&2
    exit 1
fi
printf 'installing from Debian:%s\n' "$missing"
$as_root apt-get update -q -o DPkg::Lock::Timeout=300 &&
    $as_root env DEBIAN_FRONTEND=noninteractive "$@" ||
    { printf 'the packages could not be installed; this is the command:\n  %s\n' "$by_hand" >&2; exit 1; }
