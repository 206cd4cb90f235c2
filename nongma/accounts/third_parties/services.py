"""Third-party collectors: registering firms, authorising them, and taking it back (委托第三方采集).

Source: 农质安（溯）函〔2023〕72号, 五（三）: the county's 监管 agency authorises, once a 信息安全保密协议 is signed.
"""

from collections.abc import Collection
from datetime import date, timedelta
from typing import IO, Any

from django.db import transaction
from django.utils import timezone

from nongma.accounts.models import Agency, Authorisation, AuthorisedTown, ThirdParty, User
from nongma.accounts.services import create_user, random_password
from nongma.accounts.services.agencies import reason_of
from nongma.accounts.services.telling import tell_authorised, tell_revoked
from nongma.accounts.third_parties.queries import authorises
from nongma.audit.services import record
from nongma.lib import phones, uscc
from nongma.lib.documents import AnyFile, kind_of, shown_name
from nongma.lib.refused import Misfilled, Refused
from nongma.lib.uploads import digest_of
from nongma.regions.models import Region
from nongma.regions.queries import children_of

MOST_DAYS = 366
NAME_LENGTH, CONTACT_LENGTH = 100, 60


@transaction.atomic
def register_third_party(
    *, agency: Agency, name: str, number: str, contact: str, phone: str, actor: User
) -> ThirdParty:
    """Enter a firm that a county may authorise; `number` is its 统一社会信用代码.

    Refuses `outside_area`, `not_county` (only a county's 监管 agency authorises), `third_party_exists`, and (422)
    `name_missing`, `uscc_invalid`, `contact_missing` and `phone_invalid`.
    """
    agency = _own(agency, actor)
    if not authorises(agency):
        raise Refused("not_county", "第三方采集机构由县级监管机构登记和授权", field="agency")
    firm = ThirdParty(agency=agency, uscc=uscc.tidy(number))
    if fault := uscc.fault(firm.uscc):
        raise Misfilled("uscc_invalid", fault, field="number")
    _fill(firm, name, contact, phone)
    if ThirdParty.objects.filter(agency=agency, uscc=firm.uscc).exists():
        raise Refused("third_party_exists", "这个信用代码的机构已经登记过了", field="number")
    firm.save()
    record("third_party.registered", actor=actor, target=firm, region_code=agency.region_id, name=firm.name)
    return firm


@transaction.atomic
def change_third_party(*, firm: ThirdParty, name: str, contact: str, phone: str, actor: User) -> ThirdParty:
    """Correct a firm's name and contact; an empty phone leaves the one on file.

    Refuses `outside_area`, and (422) what `register_third_party` refuses.
    """
    firm = _locked(firm, actor)
    _fill(firm, name, contact, phone.strip() or firm.phone)
    firm.save(update_fields=["name", "contact", "phone"])
    record("third_party.changed", actor=actor, target=firm, region_code=firm.agency.region_id)
    return firm


@transaction.atomic
def authorise(
    *,
    firm: ThirdParty,
    towns: Collection[int],
    from_on: date,
    to_on: date,
    agreed_on: date,
    agreement: AnyFile,
    actor: User,
) -> Authorisation:
    """Let a firm collect in townships of the county from one day to another, the signed agreement on file.

    Refuses `outside_area`, `agency_suspended`, and (422) `towns_missing`, `town_outside`, `from_early`, `period_order`,
    `period_too_long`, `agreed_in_future`, `agreed_late` (signed after the start),
    `agreement_missing` and what `documents.kind_of` refuses.
    """
    firm = _locked(firm, actor)
    if firm.agency.suspended_at:
        raise Refused("agency_suspended", f"{firm.agency}已停用")
    names = _checked_towns(firm.agency, towns)
    _check_period(from_on, to_on, agreed_on)
    if not agreement.size:
        raise Misfilled("agreement_missing", "请上传签好字、盖好章的保密协议", field="agreement")
    kind = kind_of(agreement, called="协议", field="agreement")
    authorisation = Authorisation(
        third_party=firm,
        from_on=from_on,
        to_on=to_on,
        agreed_on=agreed_on,
        agreement_name=shown_name(agreement.name or "", kind, otherwise="保密协议"),
        agreement_digest=digest_of(agreement),
        created_by=actor,
    )
    authorisation.agreement.save(f"{authorisation.uid}.{kind}", agreement, save=False)
    try:
        with transaction.atomic():
            authorisation.save()
            AuthorisedTown.objects.bulk_create(
                AuthorisedTown(authorisation=authorisation, region_id=code) for code in sorted(set(towns))
            )
            record(
                "third_party.authorised",
                actor=actor,
                target=firm,
                region_code=firm.agency.region_id,
                towns=names,
                from_on=str(from_on),
                to_on=str(to_on),
                agreement_digest=bytes(authorisation.agreement_digest).hex(),
            )
            tell_authorised(authorisation=authorisation)
    except BaseException:
        authorisation.agreement.delete(save=False)
        raise
    return authorisation


@transaction.atomic
def revoke(*, authorisation: Authorisation, reason: str, actor: User) -> Authorisation:
    """Take an authorisation back at once: from the next request on the firm's people see nothing by it.

    Refuses `outside_area`, `already_revoked`, `already_ended`, and `reason_missing` (422).
    """
    firm = _locked(authorisation.third_party, actor)
    authorisation = Authorisation.objects.select_for_update().get(pk=authorisation.pk)
    if authorisation.revoked_at:
        raise Refused("already_revoked", "这个授权已经撤销")
    if authorisation.to_on < timezone.localdate():
        raise Refused("already_ended", "这个授权已经到期，不用撤销")
    note = reason_of(reason)
    authorisation.revoked_at, authorisation.revoked_for = timezone.now(), note
    authorisation.save(update_fields=["revoked_at", "revoked_for"])
    record("third_party.revoked", actor=actor, target=firm, region_code=firm.agency.region_id, reason=note)
    tell_revoked(authorisation=authorisation)
    return authorisation


@transaction.atomic
def open_agreement(*, authorisation: Authorisation, actor: User) -> IO[Any]:
    """The signed agreement to read; the look is on record. Refuses `outside_area` and `file_unreadable`."""
    firm = ThirdParty.objects.visible_to(actor).select_related("agency").filter(pk=authorisation.third_party_id).first()
    if firm is None:
        raise Refused("outside_area", "这家第三方采集机构不归您管理")
    try:
        file = authorisation.agreement.open()
    except (OSError, ValueError):
        raise Refused("file_unreadable", "协议文件读不出来，请联系运维人员") from None
    record(
        "third_party.agreement_read",
        actor=actor,
        target=firm,
        region_code=firm.agency.region_id,
        file=authorisation.agreement_name,
    )
    return file


@transaction.atomic
def create_collector(*, firm: ThirdParty, username: str, name: str, phone: str, actor: User) -> tuple[User, str]:
    """An account for one of the firm's people, and its first password, to be handed over once.

    What the person may do comes with the firm's authorisations alone. Refuses `outside_area` and what `create_user`
    refuses.
    """
    firm = _locked(firm, actor)
    password = random_password()
    user = create_user(
        username=username,
        name=name,
        phone=phone,
        password=password,
        agency=firm.agency,
        third_party=firm,
        actor=actor,
    )
    return user, password


def _own(agency: Agency, actor: User) -> Agency:
    """Only its own administrator acts for a county. Raises `outside_area`."""
    if agency.pk not in {one.pk for one in actor.administers}:
        raise Refused("outside_area", "第三方采集机构由本县监管机构的平台管理员办理")
    return Agency.objects.select_related("region").get(pk=agency.pk)


def _locked(firm: ThirdParty, actor: User) -> ThirdParty:
    _own(firm.agency, actor)
    return ThirdParty.objects.select_for_update(of=("self",)).select_related("agency").get(pk=firm.pk)


def _checked_towns(agency: Agency, towns: Collection[int]) -> list[str]:
    """The names of the townships, all of them the county's; villages where a county has no townships."""
    if not towns:
        raise Misfilled("towns_missing", "请至少勾选一个乡镇", field="towns")
    named: dict[int, Region] = {one.code: one for one in children_of(agency.region_id)}
    if not named.keys() >= set(towns):
        raise Misfilled("town_outside", "只能授权本县的乡镇", field="towns")
    return [named[code].name for code in sorted(set(towns))]


def _check_period(from_on: date, to_on: date, agreed_on: date) -> None:
    today = timezone.localdate()
    if from_on < today:
        raise Misfilled("from_early", "授权不能从过去的日子开始", field="from_on")
    if to_on < from_on:
        raise Misfilled("period_order", "结束日期要在开始日期之后", field="to_on")
    if to_on - from_on >= timedelta(days=MOST_DAYS):
        raise Misfilled("period_too_long", f"一次最多授权 {MOST_DAYS} 天，到期可以再续", field="to_on")
    if agreed_on > today:
        raise Misfilled("agreed_in_future", "签订日期不能晚于今天", field="agreed_on")
    if agreed_on > from_on:
        raise Misfilled("agreed_late", "要先签协议，再开始授权", field="agreed_on")


def _fill(firm: ThirdParty, name: str, contact: str, phone: str) -> None:
    firm.name, firm.contact, firm.phone = " ".join(name.split()), " ".join(contact.split()), phones.tidy(phone)
    if not firm.name or len(firm.name) > NAME_LENGTH:
        raise Misfilled("name_missing", f"请填写名称，最多 {NAME_LENGTH} 字", field="name")
    if not firm.contact or len(firm.contact) > CONTACT_LENGTH:
        raise Misfilled("contact_missing", f"请填写联系人，最多 {CONTACT_LENGTH} 字", field="contact")
    if not phones.is_mobile(firm.phone):
        raise Misfilled("phone_invalid", "手机号要 11 位数字，以 13–19 开头", field="phone")
