"""Makes the Composer package: what is in this folder, the header, and the library and program that were built.

    python3 tools/package.py BUILT OUT    reads BUILT/libconsolepass_ffi.so and BUILT/consolepass, writes OUT/consolepass-php-VERSION.zip
"""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

PACKAGE = Path(__file__).resolve().parent.parent
ROOT = PACKAGE.parent.parent

# Not the tests, and not these tools.
FILES = ("autoload.php", "preload.php", "README.md", "bin/consolepass", "src/**/*.php")


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    built, out = map(Path, arguments)
    version = re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]
    # Before 1.0 every minor version is an ABI of its own, and has a name of its own.
    library = f"lib/libconsolepass.so.{version.rpartition('.')[0]}"
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"consolepass-php-{version}.zip"
    with TemporaryDirectory() as folder, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        add(archive, "composer.json", composer(version))
        for pattern in FILES:
            for path in sorted(PACKAGE.glob(pattern)):
                add(archive, path.relative_to(PACKAGE).as_posix(), path.read_bytes(), executable=pattern.startswith("bin/"))
        add(archive, "include/consolepass.ffi.h", (ROOT / "include/consolepass.ffi.h").read_bytes())
        for licence in sorted(ROOT.glob("LICENSE-*")):
            add(archive, licence.name, licence.read_bytes())
        add(archive, library, stripped(built / "libconsolepass_ffi.so", Path(folder)))
        add(archive, "lib/consolepass", stripped(built / "consolepass", Path(folder)), executable=True)
    print(target)
    return 0


def composer(version: str) -> bytes:
    """With its version, which Composer does not find out of an archive by itself."""
    manifest = json.loads((PACKAGE / "composer.json").read_text())
    return (json.dumps({**manifest, "version": version}, indent=4) + "\n").encode()


def stripped(path: Path, folder: Path) -> bytes:
    """Without what only a debugger reads. A release build has none of it already."""
    copy = folder / path.name
    subprocess.run(["strip", "--strip-unneeded", "-o", copy, path], check=True)
    return copy.read_bytes()


def add(archive: zipfile.ZipFile, name: str, content: bytes, executable: bool = False) -> None:
    """The same content makes the same archive: no file has a time, and each has the rights that everybody needs."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = (0o100755 if executable else 0o100644) << 16
    archive.writestr(info, content)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
