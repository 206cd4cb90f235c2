"""What lines of a hand-out mean here: agency, person and posts, found or new, and what the person may not hand out.

A chunk of lines is judged together, in their order: what is around it is read in a few queries, and each line sees what
the lines before it have brought about. The rules are those of `granting` and `services`; nothing is written.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.db.models.functions import Upper
from django.utils import timezone

from nongma.accounts.granting import check_grant, oversees, parent_for
from nongma.accounts.handouts.sheet import DIFFERS, LABELS, PLACES, Line
from nongma.accounts.models import Agency, Department, Membership, Role, User
from nongma.accounts.services.agencies import check_may_create, checked_name, is_taken_over
from nongma.accounts.services.people import checked_email, checked_username
from nongma.accounts.services.posts import administrator_exists, check_standing
from nongma.lib.fields import blind_index, blind_indexes
from nongma.lib.masking import mask_email, mask_numbers, mask_phone
from nongma.lib.refused import Refused
from nongma.lib.sheets.faults import Fault
from nongma.regions.models import Region
from nongma.regions.names import Gazetteer
from nongma.regions.spans import above, ancestors_of
from nongma.regions.wording import is_filler

AgencyKey = tuple[int, str, str]
PersonKey = tuple[AgencyKey, str, str]

MAIL_IN_TEXT = re.compile(r"[^\s@“”]+@[^\s@“”]+")


@dataclass(slots=True)
class Judged:
    """A line with its faults, or with what it brings about: an agency, a person, posts there.

    `doubts`: what the line says of somebody or something on file that is otherwise there, and stays so.
    """

    line: Line
    faults: list[Fault]
    doubts: list[Fault] = field(default_factory=list)
    agency: Agency | None = None
    user: User | None = None
    roles: list[Role] = field(default_factory=list)
    is_new_agency: bool = False
    is_new_user: bool = False

    @property
    def is_change(self) -> bool:
        return self.is_new_agency or self.is_new_user or bool(self.roles)


class Places:
    """Divisions by their written names or codes, kept for a whole sheet."""

    def __init__(self) -> None:
        self._gazetteer = Gazetteer()

    def find(self, lines: Sequence[Line]) -> tuple[dict[int, int], dict[int, Fault]]:
        """The code of each line's division by its row, and what is wrong with it; one query for counties new here."""
        self._gazetteer.prepare(
            (line.province or "", line.city or "", line.county or "", line.town or "", line.village or "")
            for line in lines
            if line.town or line.village
        )
        codes, faults = {}, {}
        for line in lines:
            names = [getattr(line, name) for name in PLACES]
            if line.code:
                codes[line.row] = int(line.code)
            elif line.code == "" and None not in names and line.province:
                found = self._gazetteer.stand(*names)
                if found.fault or found.code is None:
                    faults[line.row] = Fault(found.field, found.fault, found.message, getattr(line, found.field) or "")
                else:
                    codes[line.row] = found.code
        return codes, faults


class Around:
    """The divisions, agencies and people that a chunk of lines may touch, and what the lines before have made."""

    def __init__(self, lines: Sequence[Line], codes: dict[int, int], *, lock: bool) -> None:
        self.regions: dict[int, Region] = Region.objects.current().in_bulk(set(codes.values()))
        self._read_agencies(lines, lock)
        self._read_people(lines, lock)

    def _read_agencies(self, lines: Sequence[Line], lock: bool) -> None:
        unwritten = self._unwritten(lines)
        own = Agency.objects.filter(Q(region_id__in=self.regions) | Q(pk__in=unwritten)).order_by("pk")
        here = list(own.select_for_update(no_key=True) if lock else own)
        above = {0, *self.regions} | {code for region in self.regions for code in ancestors_of(region)}
        supervising = Agency.objects.filter(region_id__in=above, kind=Agency.Kind.SUPERVISION)
        known = {one.pk: one for one in [*supervising, *here]}
        while missing := {one.parent_id for one in known.values() if one.parent_id} - known.keys():
            known |= Agency.objects.in_bulk(missing)
        people = User.objects.in_bulk({one.administrator_id for one in known.values() if one.administrator_id})
        for one in known.values():
            one.parent = known[one.parent_id] if one.parent_id else None
            one.administrator = people[one.administrator_id] if one.administrator_id else None
        self.agencies = {key_of(one): one for one in here}
        self.written = {unwritten[one.pk]: one for one in here if one.pk in unwritten}
        self.known = list(known.values())

    def _unwritten(self, lines: Sequence[Line]) -> dict[int, AgencyKey]:
        """Agencies of townships that nobody writes, because there are none (崖州区直辖村级区划), named by the lines.

        By their keys; each with the key that a line writes, of the county.
        """
        counties = Q(pk__in=())
        for region in self.regions.values():
            if region.level == Region.Level.COUNTY:
                counties |= Q(region_id__gte=region.span.start, region_id__lte=region.span.stop)
        names = {line.agency for line in lines if line.agency}
        named = Agency.objects.filter(counties, name__in=names, level=Region.Level.TOWN).select_related("region")
        return {
            one.pk: (above(one.region_id, Region.Level.COUNTY), str(one.kind), one.name)
            for one in named
            if is_filler(one.region.name)
        }

    def _read_people(self, lines: Sequence[Line], lock: bool) -> None:
        names = {line.username.upper() for line in lines if line.username}
        phones = {index for line in lines if line.phone for index in blind_indexes(line.phone)}
        here = [one.pk for one in self.agencies.values()]
        found = User.objects.annotate(upper=Upper("username")).filter(
            Q(upper__in=names) | Q(phone_index__in=phones, agency__in=here)
        )
        people = list((found.select_for_update(no_key=True) if lock else found).order_by("pk"))
        self.by_username: dict[str, User] = {user.username.upper(): user for user in people}
        by_agency = {one.pk: key_of(one) for one in self.agencies.values()}
        self.by_phone: dict[PersonKey, User] = {
            (by_agency[user.agency_id], user.name, user.phone): user
            for user in people
            if user.agency_id in by_agency and user.phone
        }
        self.posts: set[tuple[str, AgencyKey, str]] = set()
        self.holders: dict[AgencyKey, User] = {}
        posts = Membership.objects.filter(agency__in=here).filter(
            Q(user__in=[user.pk for user in people]) | Q(role=Role.ADMINISTRATOR, to_on=None)
        )
        for post in posts.exclude(to_on__lt=timezone.localdate()).select_related("user"):
            key = by_agency[post.agency_id]
            self.posts.add((post.user.username.upper(), key, post.role))
            if post.role == Role.ADMINISTRATOR and post.to_on is None:
                self.holders[key] = post.user

    def chain(self, agency: Agency) -> list[Agency]:
        """The agencies that hand out accounts of one, nearest first."""
        found = []
        one = agency.parent
        while one is not None:
            found.append(one)
            one = one.parent
        return found

    def person(self, line: Line, agency: Agency) -> User | None:
        """The person of a line who is on file: by username, else by name and phone at the agency."""
        if line.username:
            return self.by_username.get(line.username.upper())
        if line.name and line.phone:
            return self.by_phone.get((key_of(agency), line.name, line.phone))
        return None

    def take_in(self, one: Judged) -> None:
        """What a line brings about holds for the lines after it."""
        agency = one.agency
        assert agency
        key = key_of(agency)
        if one.is_new_agency:
            self.agencies[key] = agency
            if agency.kind == Agency.Kind.SUPERVISION:
                for other in self.known:
                    if is_taken_over(other, agency):
                        other.parent = agency
            self.known.append(agency)
        if one.user is None:
            return
        if one.is_new_user:
            if one.user.username:
                self.by_username[one.user.username.upper()] = one.user
            if one.user.phone:
                self.by_phone[key, one.user.name, one.user.phone] = one.user
        self.posts |= {(_mark(one.user), key, role) for role in one.roles}
        if Role.ADMINISTRATOR in one.roles:
            self.holders[key] = agency.administrator = one.user


class Judge:
    """Judges one chunk for the person who hands out, as that person stands now."""

    def __init__(self, actor: User, around: Around) -> None:
        self._actor = actor
        self._around = around

    def judge(self, lines: Sequence[Line], codes: dict[int, int], misplaced: dict[int, Fault]) -> Iterator[Judged]:
        """The lines in their order, judged."""
        for line in lines:
            one = Judged(line, [Fault(*fault) for fault in line.faults])
            if line.row in misplaced:
                one.faults.append(misplaced[line.row])
            self._judge_agency(one, codes.get(line.row))
            if line.has_person:
                self._judge_person(one)
            if not one.faults:
                self._around.take_in(one)
            one.faults = [_veiled(fault) for fault in one.faults]
            one.doubts = [_veiled(fault) for fault in one.doubts] if not one.faults else []
            yield one

    def _judge_agency(self, one: Judged, code: int | None) -> None:
        line = one.line
        if code is None:
            return
        region = self._around.regions.get(code)
        if region is None:
            one.faults.append(Fault("code", "unknown-division", f"没有区划代码是 {code:012} 的地方", f"{code:012}"))
            return
        if line.kind is None or line.agency is None:
            return
        kind = Agency.Kind(line.kind)
        name = self._try(one, "agency", checked_name, line.agency)
        if name is None:
            return
        key = (code, str(kind), name)
        agency = self._around.agencies.get(key) or self._around.written.get(key)
        if agency is None:
            agency = Agency(name=name, region=region, level=region.level, kind=kind)
            if line.department:
                agency.department = Department(line.department)
            supervising = [other for other in self._around.known if other.kind == Agency.Kind.SUPERVISION]
            agency.parent = parent_for(region, kind, supervising)
            one.is_new_agency = True
            if self._try(one, _place_of(line), _checked, check_may_create, self._actor, agency):
                one.agency = agency
        elif not oversees(self._actor, agency):
            one.faults.append(Fault(_place_of(line), "outside_area", "这个机构不归您管理", region.full_name))
        else:
            one.agency = agency
            if line.department and line.department != agency.department:
                self._doubt(one, "department", "这个机构", "机构页面", Department(line.department).label)

    def _judge_person(self, one: Judged) -> None:
        line = one.line
        if line.username:
            self._try(one, "username", checked_username, line.username)
        if line.email:
            self._try(one, "email", checked_email, line.email)
        if one.agency is None or line.name is None or line.username is None or line.phone is None:
            return
        user = self._around.person(line, one.agency)
        if user is None:
            self._new_person(one, one.agency)
        else:
            self._known_person(one, one.agency, user)
        if user is None or one.roles:
            self._judge_roles(one, one.agency)

    def _known_person(self, one: Judged, agency: Agency, user: User) -> None:
        """Somebody on file keeps the account, and gets the posts that are not held yet."""
        line, key = one.line, key_of(agency)
        held = {role for role in line.roles or () if (_mark(user), key, role) in self._around.posts}
        missing = [Role(role) for role in line.roles or () if role not in held]
        is_here = user.agency_id == agency.pk if user.pk else user.agency is agency
        if user.name != line.name or (missing and not is_here):
            one.faults.append(Fault("username", "username_taken", "这个用户名已经有人用了", line.username or ""))
            return
        one.user, one.roles = user, missing
        if missing and user.pk and user.pk == self._actor.pk:
            one.faults.append(Fault("roles", "self", "不能给自己任命职务", _labels(missing)))
        elif missing:
            self._try(one, "name", _checked, check_standing, user, agency)
        home = agency if is_here else next((other for other in self._around.known if other.pk == user.agency_id), None)
        if home is None or not oversees(self._actor, home):
            return  # what is on file there is not told, not even that it is another number
        for column, told, known in (("phone", line.phone, user.phone), ("email", line.email, user.email)):
            if told and told.strip().lower() != known.lower():
                self._doubt(one, column, "这个人", "人员页面", told)

    def _doubt(self, one: Judged, column: str, whose: str, page: str, value: str) -> None:
        message = f"表里的{LABELS[column]}和{whose}现在的不一样，没有改动；要改请到{page}修改"
        one.doubts.append(Fault(column, DIFFERS, message, value))

    def _new_person(self, one: Judged, agency: Agency) -> None:
        line = one.line
        one.is_new_user = True
        one.roles = [Role(role) for role in line.roles or ()]
        one.user = User(
            username=line.username or "",
            name=line.name or "",
            agency=agency,
            place=agency.region_id,
            phone=line.phone or "",
            phone_index=blind_index(line.phone) if line.phone else None,
            email=line.email or "",
            must_change_password=True,
        )
        self._try(one, "agency", _checked, check_standing, one.user, agency)

    def _judge_roles(self, one: Judged, agency: Agency) -> None:
        chain = self._around.chain(agency)
        for role in one.roles:
            self._try(one, "roles", _checked, check_grant, self._actor, agency, role, chain)
        holder = self._around.holders.get(key_of(agency))
        if Role.ADMINISTRATOR in one.roles and holder:
            one.faults.append(
                Fault("roles", "administrator_exists", administrator_exists(agency, holder).message, _labels(one.roles))
            )

    def _try(self, one: Judged, column: str, check: Callable[..., Any], *arguments: Any) -> Any:
        """What a rule answers; None, and a fault of the line, when it refuses."""
        try:
            return check(*arguments)
        except Refused as refusal:
            where = "agency" if refusal.field == "agency" else column
            value = getattr(one.line, where, None)
            shown = _labels(one.roles) if where == "roles" else str(value or "")
            one.faults.append(Fault(where, refusal.code, refusal.message, shown))
            return None


def key_of(agency: Agency) -> AgencyKey:
    """What makes an agency the same: division, kind and name."""
    return (agency.region_id, str(agency.kind), agency.name)


def _veiled(fault: Fault) -> Fault:
    """The fault as it is kept: numbers and addresses of people masked, in whichever column they were put by mistake."""
    value = fault.value
    if fault.field == "phone":
        value = mask_phone(value) if len(value) >= 10 else value[:1] + "*" * len(value[1:])
    elif fault.field == "email":
        value = mask_email(value)
    return fault._replace(message=_veil(fault.message), value=_veil(value))


def _veil(text: str) -> str:
    return MAIL_IN_TEXT.sub(lambda found: mask_email(found[0]), mask_numbers(text))


def _mark(user: User) -> str:
    """Who a person is before there is a key: the username, or the object itself where none is made yet."""
    return user.username.upper() or f"new {id(user)}"


def _place_of(line: Line) -> str:
    """The column that says which division: the lowest that is filled in."""
    return next((name for name in ("code", *reversed(PLACES)) if getattr(line, name)), "province")


def _labels(roles: Sequence[Role]) -> str:
    return "、".join(role.label for role in roles)


def _checked(check: Callable[..., None], *arguments: Any) -> bool:
    check(*arguments)
    return True
