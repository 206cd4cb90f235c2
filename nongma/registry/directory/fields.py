"""What an entry of the directory needs by the type of the operator, and what of it is wanting (完整度)."""

from collections.abc import Iterable, Sequence

from nongma.registry.inputs import INPUTS
from nongma.registry.models import PERSONS, OperatorKind
from nongma.registry.models.directory import FIELDS

LABELS = {field: INPUTS.get(field, "") for field in FIELDS} | {
    "village": "所在村",
    "produce": "产品和规模",
    "bases": "基地",
}
"""The fields by name, in the order in which pages show them."""
GROWERS = {
    OperatorKind.ENTERPRISE.value,
    OperatorKind.COOPERATIVE.value,
    OperatorKind.FAMILY_FARM.value,
    OperatorKind.HOUSEHOLD.value,
}
COMMON = ("contact", "phone", "address", "village", "point", "industries")


def needs_of(kinds: Iterable[str]) -> list[str]:
    """The fields that an operator of these types has to fill, in the order of `FIELDS`.

    A person (农户、农村经纪人) shows an ID number, whoever is licensed the 统一社会信用代码; growers say what they
    grow, how much and where.
    """
    held = set(kinds)
    needed = {*COMMON, "id_number" if held <= {kind.value for kind in PERSONS} else "uscc"}
    if held & GROWERS:
        needed |= {"produce", "bases"}
    return [field for field in FIELDS if field in needed]


def labels_of(fields: Sequence[str]) -> str:
    """The fields in words: 手机、基地."""
    return "、".join(LABELS[field] for field in fields)
