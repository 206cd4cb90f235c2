"""Fetch the third-party front-end files into static/vendor/: pinned, checked, only what the pages use.

Run `python scripts/vendor.py` after changing a version or adding an icon. `npm pack` fetches each package through
npm's own settings; `--from FOLDER` takes tarballs that are there already. Either way the tarball must have the
digest written here. Every file also gets a `.gz` beside it, which WhiteNoise serves to browsers that take it.
"""

import argparse
import base64
import gzip
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "static" / "vendor"

MIT = """MIT License

Copyright 2018-2026 The Tabler Authors
Copyright 2018-2026 codecalm.net Paweł Kuna

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


@dataclass(frozen=True)
class Package:
    """One npm package: its digest (npm's `integrity`, sha512) and the files taken from it."""

    name: str
    version: str
    sha512: str
    files: tuple[str, ...] = ()
    licence: str = "LICENSE"
    licence_text: str = ""
    icons: tuple[str, ...] = field(default=())

    @property
    def folder(self) -> str:
        return f"{self.name.removeprefix('@').replace('/', '-').replace('.org', '')}-{self.version}"


ICONS = (
    "alert-circle alert-triangle arrow-back-up arrow-left arrow-right ban basket bell book certificate check "
    "chevron-down chevron-left chevron-right chevron-up circle-check circle-x clipboard-check clock copy "
    "current-location database device-mobile dots download edit eye file-text file-upload filter help history "
    "home info-circle list-details lock logout map-2 map-pin map-pin-off menu-2 package phone plant-2 plus "
    "printer qrcode refresh scan search send sort-ascending sort-descending table trash upload user users x"
)

PACKAGES = (
    Package(
        "@tabler/core",
        "1.6.1",
        "lgmR9gcxRp5JlLxcmRi9Rz85JrEvH6Bz71KnlcPVSa97wtwQNjgSs3g3fxwbAlulHyRMghhIV04QUuW3pqDsIg==",
        ("dist/css/tabler.min.css", "dist/js/tabler.min.js"),
        licence="",
        licence_text=MIT,
    ),
    Package(
        "@tabler/icons",
        "3.51.0",
        "0pinvPZz7YeX+OSfxuEAbnEPWbocVXW5iU8h5lh41pYG8sZuQfpWECC980lxOT0clGIcNGn8xsBr+zKaRGdA/g==",
        icons=tuple(ICONS.split()),
    ),
    Package(
        "htmx.org",
        "4.0.1",
        "oF7JgXhDW9UXCy/k1ZYFUQgzu/rm19ORWPSPNL91vPluB2PB9+MV55tyQdH/w7o2EAbTYUG5SDW1R60mdkdqGg==",
        ("dist/htmx.min.js",),
    ),
    Package(
        "maplibre-gl",
        "6.17.0",
        "2chIZwpLGenoUQOcnm9Pk4SLbA8ppNFq8jlpXiq9vcYm3Y1wJ3fc82FL0GLwBaPYJCLzPv/mC46KEupVov75rQ==",
        ("dist/maplibre-gl.css", "dist/maplibre-gl.mjs", "dist/maplibre-gl-worker.mjs"),
        licence="LICENSE.txt",
    ),
)


def fetch(package: Package, into: Path, given: Path | None) -> Path:
    """The package's tarball, with the digest it must have."""
    packed = f"{package.name.removeprefix('@').replace('/', '-')}-{package.version}.tgz"
    path = (given or into) / packed
    if given is None:
        npm = shutil.which("npm")
        if npm is None:
            sys.exit("npm is not installed; install it, or name a folder of tarballs with --from")
        command = [npm, "pack", "--silent", f"{package.name}@{package.version}"]
        subprocess.run(command, cwd=into, check=True, stdout=subprocess.DEVNULL)
    digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    if digest != package.sha512:
        sys.exit(f"{packed}: its sha512 is {digest}, not the one that is pinned")
    return path


def sprite(tarball: tarfile.TarFile, icons: tuple[str, ...]) -> str:
    """The outline icons as the symbols of one SVG file."""
    symbols = []
    for name in sorted(icons):
        svg = read(tarball, f"icons/outline/{name}.svg").decode()
        inside = re.sub(r"\s*\n\s*", "", svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")])
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{inside}</symbol>')
    return '<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n"


def read(tarball: tarfile.TarFile, name: str) -> bytes:
    member = tarball.extractfile(f"package/{name}")
    assert member is not None, name
    return member.read()


def without_source_map(text: bytes) -> bytes:
    """The file without its pointer to a source map that is not shipped."""
    return re.sub(rb"\n(?://|/\*)# sourceMappingURL=[^\n]*\n?$", b"\n", text)


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    if path.name != "LICENSE":
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(content, 9, mtime=0))


def unpack(package: Package, tarball_path: Path) -> int:
    folder = TARGET / package.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with tarfile.open(tarball_path) as tarball:
        for name in package.files:
            write(folder / Path(name).name, without_source_map(read(tarball, name)))
        if package.icons:
            write(folder / "sprite.svg", sprite(tarball, package.icons).encode())
        licence = read(tarball, package.licence) if package.licence else package.licence_text.encode()
        write(folder / "LICENSE", licence)
    return sum(path.stat().st_size for path in folder.iterdir())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="given", type=Path, help="folder of tarballs as `npm pack` names them")
    given = parser.parse_args().given
    TARGET.mkdir(parents=True, exist_ok=True)
    wanted = {package.folder for package in PACKAGES}
    for old in TARGET.iterdir():
        if old.is_dir() and old.name not in wanted:
            shutil.rmtree(old)
    with tempfile.TemporaryDirectory() as scratch:
        for package in PACKAGES:
            size = unpack(package, fetch(package, Path(scratch), given))
            print(f"{package.folder}: {size // 1024} KiB")


if __name__ == "__main__":
    main()
