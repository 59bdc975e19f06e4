#!/bin/sh
# install.sh BUILT PREFIX: installs the C library from the folder that cargo built it in, and the command if it was built
# beside it. DESTDIR goes before PREFIX, for those who make packages.
set -eu
built=$1
prefix=$2
root=$(cd "$(dirname "$0")/../.." && pwd)
to=${DESTDIR:-}$prefix

version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)
# Before 1.0 every minor version is an ABI of its own; build.rs gives the library the same SONAME.
soname=libconsolepass.so.${version%.*}
for file in libconsolepass_ffi.so libconsolepass_ffi.a; do
    [ -e "$built/$file" ] || { echo "install: $built/$file is missing: cargo build -p consolepass-ffi" >&2; exit 1; }
done

install -d "$to/lib/pkgconfig" "$to/include"
install -m 644 "$root/include/consolepass.h" "$root/include/consolepass.ffi.h" "$to/include/"
install -m 755 "$built/libconsolepass_ffi.so" "$to/lib/libconsolepass.so.$version"
ln -sf "libconsolepass.so.$version" "$to/lib/$soname"
ln -sf "$soname" "$to/lib/libconsolepass.so"
install -m 644 "$built/libconsolepass_ffi.a" "$to/lib/libconsolepass.a"
sed -e "s|@VERSION@|$version|" "$root/crates/ffi/consolepass.pc.in" >"$to/lib/pkgconfig/consolepass.pc"
chmod 644 "$to/lib/pkgconfig/consolepass.pc"

# Libraries are in the folder deps, or linked from the one above, where programs are.
for command in "$built/consolepass" "$built/../consolepass"; do
    [ -f "$command" ] && [ -x "$command" ] || continue
    install -d "$to/bin" "$to/share/man/man1"
    install -m 755 "$command" "$to/bin/consolepass"
    "$command" man >"$to/share/man/man1/consolepass.1"
    chmod 644 "$to/share/man/man1/consolepass.1"
    exit 0
done
echo "install: without the command, which was not built: cargo build -p consolepass-cli" >&2
