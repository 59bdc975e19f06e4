#!/bin/sh
# Builds the wheel into FOLDER, and follows the README's first steps with it: in an empty folder, with nothing else installed.
#
#     package.sh FOLDER
set -eu
folder=$1
root=$(cd "$(dirname "$0")/../../.." && pwd)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)

mkdir -p "$folder"
rm -f "$folder"/consolepass-*.whl
"$root/.venv/bin/maturin" build --quiet --release --locked --manifest-path "$root/bindings/python/Cargo.toml" --out "$folder"
wheel=$(ls "$folder/consolepass-$version"-cp310-abi3-*.whl)

empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
"${PYTHON:-python3}" -m venv "$empty/venv"
"$empty/venv/bin/pip" install --quiet --disable-pip-version-check --no-index "$wheel"
(cd "$empty" && venv/bin/consolepass --version >/dev/null && venv/bin/python -c 'import consolepass.aio')
CONSOLEPASS_INSTALLED="$empty/venv/bin" "$root/.venv/bin/python" -m pytest -q "$root/bindings/python/tests/test_readme.py" -k ten_lines
echo "$wheel"
