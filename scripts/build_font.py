"""Build data/fonts: Noto Sans SC cut down to what labels print.

    npm pack @expo-google-fonts/noto-sans-sc@0.4.3
    python scripts/build_font.py expo-google-fonts-noto-sans-sc-0.4.3.tgz

Kept: ASCII and Latin-1, the signs and 6,763 hanzi of GB 2312, and every character of a division's name in
data/divisions. Layout features and hints go: a label is set horizontally and printed from outlines.
"""

import csv
import gzip
import io
import sys
import tarfile
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

FONTS = Path(__file__).resolve().parent.parent / "data" / "fonts"
DIVISIONS = FONTS.parent / "divisions"
WEIGHTS = {"Regular": "package/400Regular/NotoSansSC_400Regular.ttf", "Bold": "package/700Bold/NotoSansSC_700Bold.ttf"}
LICENCE = "package/LICENSE_FONT"


def gb2312() -> set[str]:
    """The characters of GB 2312: 94 rows of 94 cells, the empty ones left out."""
    found = set()
    for row in range(0xA1, 0xFF):
        for cell in range(0xA1, 0xFF):
            try:
                found.add(bytes((row, cell)).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return found


def division_characters() -> set[str]:
    """Every character in a name of data/divisions."""
    found: set[str] = set()
    for path in DIVISIONS.glob("*.csv.gz"):
        with gzip.open(path, "rt", encoding="utf-8") as handle:
            for row in csv.reader(handle):
                found.update(*row)
    return found


def cut(source: bytes, characters: set[str]) -> TTFont:
    """The font with only these characters."""
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True, name_IDs=["*"], glyph_names=False)
    font = TTFont(io.BytesIO(source))
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=[ord(character) for character in characters])
    cutter.subset(font)
    for table in ("vhea", "vmtx", "VORG", "DSIG"):
        if table in font:
            del font[table]
    return font


def main(archive: Path) -> None:
    wanted = {chr(code) for code in range(0x20, 0x100)} | gb2312() | division_characters() | set("☑☐□✓—…·“”‘’￥")
    FONTS.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive) as package:
        for weight, name in WEIGHTS.items():
            member = package.extractfile(name)
            if member is None:
                raise SystemExit(f"{archive} 里没有 {name}")
            font = cut(member.read(), wanted)
            target = FONTS / f"NotoSansSC-{weight}.ttf"
            font.save(target)
            missing = sorted(character for character in wanted if ord(character) not in font.getBestCmap())
            print(
                f"{target.name}: {len(font.getBestCmap())} 字，{target.stat().st_size / 1e6:.1f} MB，缺 {len(missing)}"
            )
        licence = package.extractfile(LICENCE)
        if licence is None:
            raise SystemExit(f"{archive} 里没有 {LICENCE}")
        (FONTS / "OFL.txt").write_bytes(licence.read())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
