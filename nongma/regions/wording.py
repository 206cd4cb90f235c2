"""How people write the names of divisions, and what the list calls them."""

import re
import unicodedata

# Names that the statistical list writes where a level is missing; full names and pickers leave them out.
_FILLER = re.compile(r"^(市辖区|县|(省|自治区)直辖县级行政区划|.*直辖村级区划)$")

_FILLER_BEFORE = re.compile(r"^.{0,20}?直辖(村|乡镇|镇|乡|县)级(行政)?区划(?=.)")

# The title of a village's committee: 水南村委会 and 水南村民委员会 are 水南村, 合成社区居民委员会 is 合成社区.
_COMMITTEE = re.compile(r"(?<=.)((?<=村)村|居)?民?(委会|委员会)$")
_VILLAGE_KIND = re.compile(r"(?<=..)(村|社区|居)$")

_PEOPLES = (
    "蒙古族|蒙古|回族|藏族|维吾尔族|维吾尔|苗族|彝族|壮族|布依族|朝鲜族|满族|侗族|瑶族|白族|土家族|哈尼族|哈萨克族|哈萨克|傣族|黎族|"
    "傈僳族|佤族|畲族|拉祜族|水族|东乡族|纳西族|景颇族|柯尔克孜族|柯尔克孜|土族|达斡尔族|达斡尔|仫佬族|羌族|布朗族|撒拉族|毛南族|"
    "仡佬族|锡伯族|锡伯|阿昌族|普米族|塔吉克族|塔吉克|怒族|乌孜别克族|俄罗斯族|鄂温克族|鄂温克|德昂族|保安族|裕固族|京族|独龙族|"
    "鄂伦春族|鄂伦春|赫哲族|门巴族|珞巴族|基诺族|各族|民族"
)
_PARTS = re.compile(
    rf"^(?P<base>.{{2,}}?)(?P<peoples>(?:{_PEOPLES})*)"
    r"(?P<kind>特别行政区|自治区|自治州|自治县|自治旗|地区|林区|矿区|特区|街道办事处|街道|民族乡|苏木|省|市|盟|州|区|县|旗|镇|乡)$"
)


def is_filler(name: str) -> bool:
    """Whether the name only stands for a level that does not exist there (市辖区, 崖州区直辖村级区划)."""
    return _FILLER.match(name) is not None


def own_name(text: str) -> str:
    """A written place without the name of a level that does not exist: 崖州区直辖村级区划赤草村委会 is 赤草村委会."""
    return _FILLER_BEFORE.sub("", text)


def fold(text: str) -> str:
    """The text without white space and invisible characters, full-width forms made plain."""
    plain = unicodedata.normalize("NFKC", text)
    return "".join(character for character in plain if character.isalnum() or character == "#")


def short_forms(name: str) -> set[str]:
    """What a province, city, county or town is also called: 白沙黎族自治县 is 白沙, 白沙县, 白沙黎族, 白沙自治县.

    A base of one character (单县, 郊区) is no name of its own.
    """
    match = _PARTS.match(name)
    if match is None:
        return set()
    base, peoples, kind = match["base"], match["peoples"], match["kind"]
    forms = {base, base + kind, base + kind[-1]}
    if peoples:
        forms |= {base + peoples, base + peoples + kind[-1]}
    if base.endswith("族"):
        # 东乡族自治县 is 东乡县.
        forms |= {base.removesuffix("族"), base.removesuffix("族") + kind[-1]}
    if kind.startswith("街道"):
        forms |= {base + end for end in ("街道", "街道办事处", "街道办", "街办", "办事处")}
    return forms - {name, base + "道", base + "处"}


def village_form(name: str) -> str:
    """A village without its committee's title: 水南村委会, 水南村民委员会 and 水南村 are all 水南村."""
    return _COMMITTEE.sub("", name)


def village_base(name: str) -> str:
    """A village's own name: 水南村 and 水南社区居委会 are both 水南."""
    return _VILLAGE_KIND.sub("", village_form(name))
