"""The records that audit entries speak of, by name and page; one query for each kind."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from nongma.accounts.models import Agency, Handout, ThirdParty, Training, User
from nongma.audit.labels import kind_label
from nongma.catalogue.models import Product
from nongma.certificates.models import Certificate
from nongma.codes.codec import encode
from nongma.codes.models import CodeRange
from nongma.notices.models import Outgoing
from nongma.origins.models import ImportJob, Origin, ReviewSample
from nongma.registry.models import Base, Expected, Intake, Operator, Sending
from nongma.tracing.models import Lot

Key = tuple[str, str]


@dataclass(frozen=True)
class Target:
    """A record as a sentence names it: 产地信息“李大山 豇豆”; `rows` of an import are the lines that it wrote."""

    kind: str
    name: str
    url: str = ""
    rows: int = 0


def targets_of(keys: Iterable[Key]) -> dict[Key, Target]:
    """The records by kind and id as the log has them; one that is unknown goes by the end of its id."""
    ids: dict[str, set[str]] = {}
    for kind, identity in keys:
        ids.setdefault(kind, set()).add(identity)
    return {
        (kind, identity): found.get(identity) or Target(kind_label(kind), identity[-8:])
        for kind, wanted in ids.items()
        for found in [_found(kind, wanted)]
        for identity in wanted
    }


def _found(kind: str, ids: set[str]) -> dict[str, Target]:
    finder = FINDERS.get(kind)
    return {str(identity): target for identity, target in finder(ids)} if finder else {}


Found = Iterable[tuple[object, Target]]


def _users(ids: Collection[str]) -> Found:
    for uid, name, username in User.objects.filter(uid__in=_uids(ids)).values_list("uid", "name", "username"):
        yield uid, Target("账号", f"{name}（{username}）")


def _agencies(ids: Collection[str]) -> Found:
    for uid, name in Agency.objects.filter(uid__in=_uids(ids)).values_list("uid", "name"):
        yield uid, Target("机构", name)


def _operators(ids: Collection[str]) -> Found:
    for uid, name, serial in Operator.objects.filter(uid__in=_uids(ids)).values_list("uid", "name", "serial"):
        yield uid, Target("主体", name, _operator_page(serial))


def _bases(ids: Collection[str]) -> Found:
    bases = Base.objects.filter(uid__in=_uids(ids))
    for uid, name, serial, own in bases.values_list("uid", "name", "operator__serial", "serial"):
        yield uid, Target("基地", name, reverse("registry:base", args=[encode(serial), encode(own)]))


def _origins(ids: Collection[str]) -> Found:
    origins = Origin.objects.filter(uid__in=_uids(ids))
    for uid, name, product in origins.values_list("uid", "operator__name", "product__name"):
        yield uid, Target("产地信息", f"{name} {product}", reverse("origins:record", args=[uid]))


def _products(ids: Collection[str]) -> Found:
    for pk, name in Product.objects.filter(pk__in=[one for one in ids if one.isdecimal()]).values_list("pk", "name"):
        yield pk, Target("产品", name, reverse("catalogue:products"))


def _handouts(ids: Collection[str]) -> Found:
    for uid, filename in Handout.objects.filter(uid__in=_uids(ids)).values_list("uid", "filename"):
        yield uid, Target("账号分配表", filename, reverse("accounts:handout", args=[uid]))


def _imports(ids: Collection[str]) -> Found:
    for uid, filename, *rows in ImportJob.objects.filter(uid__in=_uids(ids)).values_list(
        "uid", "filename", "accepted", "to_locate"
    ):
        yield uid, Target("表格", filename, rows=sum(rows))


def _intakes(ids: Collection[str]) -> Found:
    for uid, filename in Intake.objects.filter(uid__in=_uids(ids)).values_list("uid", "filename"):
        yield uid, Target("主体登记表", filename)


def _sendings(ids: Collection[str]) -> Found:
    for one in Sending.objects.filter(uid__in=_uids(ids)):
        yield one.uid, Target("批量督促整改", one.get_matter_display())


def _lots(ids: Collection[str]) -> Found:
    for uid, serial, product in Lot.objects.filter(uid__in=_uids(ids)).values_list("uid", "serial", "product__name"):
        code = encode(serial)
        yield uid, Target("批次", f"{product} …{code[-6:]}", reverse("tracing:lot", args=[code]))


def _certificates(ids: Collection[str]) -> Found:
    certificates = Certificate.objects.filter(uid__in=_uids(ids))
    for uid, serial, product in certificates.values_list("uid", "serial", "lot__product__name"):
        code = encode(serial)
        page = reverse("certificates:certificate", args=[code])
        yield uid, Target("合格证", f"{product} …{code[-6:]}", page)


def _ranges(ids: Collection[str]) -> Found:
    for one in CodeRange.objects.filter(uid__in=_uids(ids)):
        yield one.uid, Target("码段", f"{one.get_kind_display()} {one.stop - one.start:,} 个")


def _samples(ids: Collection[str]) -> Found:
    for uid, description in ReviewSample.objects.filter(uid__in=_uids(ids)).values_list("uid", "description"):
        yield uid, Target("审核抽查", description, reverse("origins:sample", args=[uid]))


def _outgoing(ids: Collection[str]) -> Found:
    for one in Outgoing.objects.filter(uid__in=_uids(ids)).defer("recipient", "subject", "body"):
        yield one.uid, Target("外发消息", str(one), reverse("notices:sent"))


def _third_parties(ids: Collection[str]) -> Found:
    for uid, name in ThirdParty.objects.filter(uid__in=_uids(ids)).values_list("uid", "name"):
        yield uid, Target("第三方机构", name, reverse("accounts:third-party", args=[uid]))


def _expected(ids: Collection[str]) -> Found:
    for uid, name in Expected.objects.filter(uid__in=_uids(ids)).values_list("uid", "name"):
        yield uid, Target("应纳入的主体", name, reverse("registry:directory-expected"))


def _trainings(ids: Collection[str]) -> Found:
    for uid, title in Training.objects.filter(uid__in=_uids(ids)).values_list("uid", "title"):
        yield uid, Target("培训", title, reverse("accounts:training", args=[uid]))


FINDERS: dict[str, Callable[[Collection[str]], Found]] = {
    "agency": _agencies,
    "base": _bases,
    "certificate": _certificates,
    "coderange": _ranges,
    "expected": _expected,
    "handout": _handouts,
    "importjob": _imports,
    "intake": _intakes,
    "lot": _lots,
    "operator": _operators,
    "origin": _origins,
    "reviewsample": _samples,
    "product": _products,
    "sending": _sendings,
    "thirdparty": _third_parties,
    "training": _trainings,
    "outgoing": _outgoing,
    "user": _users,
}


def _operator_page(serial: int) -> str:
    return reverse("registry:operator", args=[encode(serial)])


def _uids(ids: Collection[str]) -> list[UUID]:
    """Those of the ids that are UUIDs; what a person types into the address need not be one."""
    found = []
    for identity in ids:
        try:
            found.append(UUID(identity))
        except ValueError:
            continue
    return found
