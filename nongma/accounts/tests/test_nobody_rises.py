"""Nobody gains by their own act: random calls of every service, by pages and API too, held against the policy.

What the policy allows stands once more in `policy`, apart from `granting`: a slip in the one is none in the other.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any, TypeVar

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from nongma.accounts.models import Agency, Authorisation, AuthorisedTown, Membership, Role, ThirdParty, User
from nongma.accounts.services import (
    Leaver,
    appoint,
    change_agency,
    change_password,
    change_person,
    create_agency,
    create_user,
    deactivate_user,
    dismiss,
    hand_out,
    hand_over,
    hand_over_to_new,
    remove_lost_device,
    reset_password,
    restore_agency,
    restore_user,
    suspend_agency,
    suspend_user,
)
from nongma.accounts.tests.policy import COUNTY, ENFORCEMENT, MONITORING, SUPERVISION, Picture
from nongma.lib.refused import Refused
from nongma.regions.models import Region
from nongma.regions.spans import span_of
from nongma.testing import (
    COUNTRY,
    HAINAN,
    LIANDU,
    SANYA,
    YAZHOU,
    YAZHOU_TOWN,
    YAZHOU_VILLAGE,
    ZHEJIANG,
    api_of,
    client_of,
    make_official,
    make_user,
)

pytestmark = pytest.mark.django_db

PASSWORD, NEXT = "nine-lanterns-over-yazhou", "seven-boats-below-sanya"
Thing = TypeVar("Thing")
LIKELY = 0.75
STEPS = 40
PLACES = (COUNTRY, HAINAN, SANYA, YAZHOU, YAZHOU_TOWN, YAZHOU_VILLAGE, ZHEJIANG, LIANDU)


@dataclass(frozen=True)
class Step:
    """One call: who, by which way, what, and whom or what it is about."""

    verb: str
    way: str
    actor: User
    person: User
    agency: Agency
    post: Membership
    role: Role
    place: int
    kind: Agency.Kind
    leaver: Leaver
    day: date
    name: str


@dataclass
class World:
    """What is known of the people that a test has made, and dice."""

    dice: Random
    known: dict[int, str]
    count: int = 0

    def next_step(self) -> Step:
        """Any call; mostly by an administrator and about what is in care, or nothing would ever be done."""
        now = Picture.take()
        people = list(User.objects.order_by("pk").select_related("agency"))
        agencies, posts = list(Agency.objects.order_by("pk")), list(Membership.objects.order_by("pk"))
        verb = self.dice.choice(VERBS)
        actor = self._one([one for one in people if now.administers(one.pk)], people)
        overseen = [one for one in agencies if now.oversees(actor.pk, one.pk)]
        keys = {one.pk for one in overseen}
        near = [
            one for one in overseen if now.may_grant(actor.pk, one.pk, self.dice.choice(("analyst", "administrator")))
        ]
        cared_for = [one for one in people if one.agency_id in keys]
        if verb.startswith("restore"):
            near = [one for one in overseen if one.suspended_at]
            cared_for = [one for one in cared_for if one.suspended_at]
        agency = self._one(near or overseen, agencies)
        self.count += 1
        return Step(
            verb=verb,
            way=self.dice.choice(("service", "service", "api", "page")),
            actor=actor,
            person=self._one(cared_for, people),
            agency=agency,
            post=self._one([one for one in posts if one.agency_id in keys and not one.to_on], posts),
            role=self._one([role for role in Role if now.may_grant(actor.pk, agency.pk, role)], list(Role)),
            place=self._one([one.region_id for one in overseen], list(PLACES)),
            kind=self.dice.choice(list(Agency.Kind)),
            leaver=self.dice.choice(list(Leaver)),
            day=timezone.localdate() + timedelta(days=self.dice.choice((0, 0, 0, -1, 1))),
            name=f"new-{self.count}",
        )

    def _one(self, likely: list[Thing], every: list[Thing]) -> Thing:
        return self.dice.choice(likely if likely and self.dice.random() < LIKELY else every)


def fill(dice: Random) -> World:
    """Agencies of every kind and level in 崖州区, above it and elsewhere; some vacant, some people without rights."""
    for place in (COUNTRY, HAINAN, YAZHOU, YAZHOU_TOWN, ZHEJIANG, LIANDU):
        make_official(f"keeper-{place}", "管理员", Role.ADMINISTRATOR, place)
    zhao = make_official("zhao", "赵审核", Role.REVIEWER, YAZHOU)
    wang = make_official("wang", "王采集", Role.COLLECTOR, YAZHOU_TOWN)
    make_official("city", "市查询", Role.ANALYST, SANYA)
    make_official("village", "村采集", Role.COLLECTOR, YAZHOU_VILLAGE)
    make_official("lab-keeper", "检测管理员", Role.ADMINISTRATOR, YAZHOU, kind=MONITORING)
    make_official("lab", "检测员", Role.LABORATORY, YAZHOU, kind=MONITORING)
    make_official("officer", "执法员", Role.OFFICER, YAZHOU, kind=ENFORCEMENT)
    make_official("province-lab", "省检测员", Role.LABORATORY, HAINAN, kind=MONITORING)
    town = Region.objects.get(pk=YAZHOU_TOWN)
    Agency.objects.create(
        name="畜牧兽医站",
        region=town,
        level=town.level,
        kind=SUPERVISION,
        department="livestock",
        parent=zhao.agency,
    )
    for agency in Agency.objects.select_related("region"):
        above = [one for one in Agency.objects.filter(kind=SUPERVISION) if one.pk != agency.pk and one.oversees(agency)]
        beside = [one for one in above if one.region_id != agency.region_id or agency.kind != SUPERVISION]
        parent = max(beside, key=lambda one: (one.level, -one.pk), default=None)
        Agency.objects.filter(pk=agency.pk).update(parent=parent)
    since = date(2024, 1, 1)
    Membership.objects.create(user=zhao, agency=wang.agency, role=Role.COLLECTOR, from_on=since)
    Membership.objects.create(
        user=wang, agency=Agency.objects.get(region=HAINAN, kind=SUPERVISION), role=Role.ANALYST, from_on=since
    )
    make_user("grower", "李大山", is_operator=True, place=YAZHOU_VILLAGE)
    make_user("idle", "没有职务", agency=zhao.agency, place=YAZHOU)
    firm = ThirdParty.objects.create(agency=zhao.agency, name="采集公司", uscc="91460200MA5T000000", contact="吴")
    held = Authorisation.objects.create(
        third_party=firm,
        from_on=since,
        to_on=since,
        agreement="agreements/none.pdf",
        agreement_name="协议.pdf",
        agreement_digest=b"1" * 32,
        agreed_on=since,
        created_by=zhao,
    )
    AuthorisedTown.objects.create(authorisation=held, region_id=YAZHOU_TOWN)
    make_user("expired", "吴采集", agency=zhao.agency, place=YAZHOU, third_party=firm)
    Agency.objects.filter(kind=ENFORCEMENT).update(suspended_at=timezone.now(), suspended_level=COUNTY)
    User.objects.filter(username="idle").update(suspended_at=timezone.now(), suspended_level=COUNTY)
    User.objects.filter(username="lab").update(suspended_at=timezone.now(), suspended_level=COUNTRY)
    for person in User.objects.all():
        person.set_password(PASSWORD)
        person.save()
    return World(dice, dict.fromkeys(User.objects.values_list("pk", flat=True), PASSWORD))


def by_service(world: World, step: Step) -> None:
    """The step as a call of its service."""
    actor, person, agency, post = step.actor, step.person, step.agency, step.post
    day, name = step.day, step.name
    region = Region.objects.get(pk=step.place)
    calls: dict[str, Callable[[], Any]] = {
        "create_agency": lambda: create_agency(name=name, region=region, kind=step.kind, actor=actor),
        "change_agency": lambda: change_agency(agency=agency, name=name, department=agency.department, actor=actor),
        "suspend_agency": lambda: suspend_agency(agency=agency, reason="原因", actor=actor),
        "restore_agency": lambda: restore_agency(agency=agency, actor=actor),
        "hand_out": lambda: hand_out(agency=agency, name=name, username=name, roles=[step.role], actor=actor),
        "create_operator": lambda: create_user(
            username=name, name=name, password=PASSWORD, actor=actor, operator_place=step.place
        ),
        "create_user": lambda: create_user(username=name, name=name, password=PASSWORD, actor=actor, agency=agency),
        "appoint": lambda: appoint(user=person, agency=agency, role=step.role, actor=actor),
        "appoint_self": lambda: appoint(user=actor, agency=agency, role=step.role, actor=actor, from_on=day),
        "dismiss": lambda: dismiss(membership=post, actor=actor, to_on=day if day > post.from_on else None),
        "hand_over": lambda: hand_over(membership=post, to=person, actor=actor, on=day, leaver=step.leaver),
        "hand_over_to_self": lambda: hand_over(membership=post, to=actor, actor=actor, leaver=step.leaver),
        "hand_over_to_new": lambda: hand_over_to_new(membership=post, username=name, name=name, actor=actor),
        "suspend_user": lambda: suspend_user(user=person, reason="原因", actor=actor),
        "restore_user": lambda: restore_user(user=person, actor=actor),
        "restore_self": lambda: restore_user(user=actor, actor=actor),
        "close": lambda: deactivate_user(user=person, reason="原因", actor=actor),
        "change_person": lambda: change_person(user=person, name=name, phone="", email="", actor=actor),
        "change_own_password": lambda: change_password(
            user=actor, new=NEXT, actor=actor, old=world.known.get(actor.pk, "")
        ),
        "set_password": lambda: change_password(user=person, new=NEXT, actor=actor, old=PASSWORD),
        "reset_password": lambda: reset_password(user=person, actor=actor),
        "remove_device": lambda: remove_lost_device(user=person, actor=actor),
    }
    calls[step.verb]()


VERBS = (
    "create_agency", "change_agency", "suspend_agency", "restore_agency", "hand_out", "create_operator", "create_user",
    "appoint", "appoint_self", "dismiss", "hand_over", "hand_over_to_self", "hand_over_to_new", "suspend_user",
    "restore_user", "restore_self", "close", "change_person", "change_own_password", "set_password", "reset_password",
    "remove_device",
)  # fmt: skip


def sent(step: Step) -> tuple[str, dict[str, Any]] | None:
    """Where the step is sent by page or API, and with what; None where there is no such address."""
    is_own = step.verb.endswith("_self")
    person = step.actor if is_own else step.person
    agency, post, name, day = step.agency, step.post, step.name, step.day
    given = {"name": name, "username": name, "roles": [step.role.value], "role": step.role.value, "reason": "原因"}
    given |= {"kind": step.kind.value, "department": "quality_safety", "leaver": step.leaver.value}
    given |= {"to": person.username, "on": str(day), "region": f"{step.place:012}"}
    verb = step.verb.removesuffix("_self").removesuffix("_to")
    if step.way == "api":
        where = {
            "create_agency": "agencies",
            "suspend_agency": f"agencies/{agency.uid}/suspend",
            "restore_agency": f"agencies/{agency.uid}/restore",
            "hand_out": "people",
            "appoint": f"people/{person.uid}/posts",
            "dismiss": f"posts/{post.uid}/end",
            "hand_over": f"posts/{post.uid}/hand-over",
            "suspend_user": f"people/{person.uid}/suspend",
            "restore_user": f"people/{person.uid}/restore",
            "restore": f"people/{person.uid}/restore",
            "close": f"people/{person.uid}/close",
        }.get(verb)
        return (f"/api/v1/{where}", given | {"agency": str(agency.uid)}) if where else None
    page = {
        "create_agency": ("create-agency", None),
        "change_agency": ("change-agency", agency),
        "suspend_agency": ("suspend-agency", agency),
        "restore_agency": ("restore-agency", agency),
        "hand_out": ("enter-person", agency),
        "appoint": ("appoint-person", agency),
        "dismiss": ("end-post", post),
        "hand_over": ("hand-over", post),
        "hand_over_to_new": ("hand-over", post),
        "suspend_user": ("suspend-person", person),
        "restore_user": ("restore-person", person),
        "restore": ("restore-person", person),
        "close": ("close-person", person),
        "change_person": ("change-person", person),
        "reset_password": ("reset-password", person),
        "remove_device": ("remove-code", person),
    }.get(verb)
    if page is None:
        return None
    if verb == "appoint":
        given["username"] = person.username
    if verb == "hand_over_to_new":
        given["to"] = name
    elif verb == "hand_over":
        given["name"] = ""
    return reverse(f"accounts:{page[0]}", args=[page[1].uid] if page[1] else []), given


@contextmanager
def undone() -> Iterator[None]:
    """Everything inside is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(dice=st.randoms(use_true_random=True))
def test_nobody_rises_by_whatever_is_called(plain_passwords: None, dice: Random) -> None:
    with undone():
        world = fill(dice)
        done = sum(take(world, world.next_step()) for _ in range(STEPS))
    event(f"{done // 10 * 10} or more of {STEPS} calls were allowed")


@pytest.fixture
def plain_passwords(settings: Any) -> None:
    """Quick passwords; a phone is asked for elsewhere."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.TOTP_REQUIRED = False


def take(world: World, step: Step) -> bool:
    """Do the step, and hold what came of it against the policy; whether it was allowed."""
    actor = User.objects.select_related("agency").get(pk=step.actor.pk)
    before = Picture.take()
    if step.way == "service":
        if before.is_cut_off(actor.pk):
            return False
        is_refused = _is_refused(lambda: by_service(world, replace(step, actor=actor)))
    else:
        asked = sent(step)
        if asked is None:
            return False
        where, given = asked
        client = api_of(actor) if step.way == "api" else client_of(actor)
        as_json = {"content_type": "application/json"} if step.way == "api" else {}
        response: Any = client.post(where, given, **as_json)
        assert response.status_code < 500
        is_refused = response.status_code >= 400
        if before.is_cut_off(actor.pk) or before.people[actor.pk]["must_change_password"]:
            assert is_refused or response.status_code == 302
            is_refused = True
    after = Picture.take()
    if is_refused or after.entries == before.entries:
        assert after == before, "a refused call wrote something"
        return False
    check_actor(before, after, actor.pk, step)
    check_posts(before, after, actor.pk)
    check_people(before, after, actor.pk)
    check_agencies(before, after, actor.pk)
    return True


def _is_refused(call: Callable[[], None]) -> bool:
    try:
        with transaction.atomic():
            call()
    except Refused:
        return True
    return False


def check_actor(before: Picture, after: Picture, actor: int, step: Step) -> None:
    """No right is gained by one's own act; giving an agency back to its people gives no post that was not there."""
    assert not before.is_cut_off(actor)
    assert after.held(actor, also_suspended=True) <= before.held(actor, also_suspended=True)
    if not step.verb.startswith("restore_agency"):
        assert after.administers(actor) <= before.administers(actor)
        for role, span in after.standing(actor):
            assert any(role == held and over.covers(span) for held, over in before.standing(actor))


def check_posts(before: Picture, after: Picture, actor: int) -> None:
    for key, post in after.posts.items():
        assert after.holds(post["agency_id"], post["role"])
        was = before.posts.get(key)
        if was is None:
            assert before.may_grant(actor, post["agency_id"], post["role"]), "a post that was not the actor's to give"
            assert post["user_id"] != actor
            row = before.people.get(post["user_id"])
            if row and row["agency_id"]:
                assert before.oversees(actor, row["agency_id"]), "a person who was not in the actor's care"
        elif was != post:
            is_own = post["agency_id"] in before.administers(actor) and post["role"] != "administrator"
            assert was == post | {"to_on": None}
            may_end = before.is_above(actor, post["agency_id"]) or is_own
            assert may_end or before.may_grant(actor, post["agency_id"], post["role"])
    held = [post["agency_id"] for post in after.posts.values() if post["role"] == "administrator" and not post["to_on"]]
    assert len(held) == len(set(held)), "two administrators of an agency"
    named = {key: row["administrator_id"] for key, row in after.agencies.items() if row["administrator_id"]}
    assert named == {
        post["agency_id"]: post["user_id"]
        for post in after.posts.values()
        if post["role"] == "administrator" and not post["to_on"]
    }


def check_people(before: Picture, after: Picture, actor: int) -> None:
    for key, row in after.people.items():
        was = before.people.get(key)
        if was is None or was == row or key == actor:
            continue
        if was["agency_id"]:
            assert before.oversees(actor, was["agency_id"]) or before.has_whole_care(actor, key)
        if row["password"] != was["password"] or row["has_totp"] != was["has_totp"]:
            assert before.has_whole_care(actor, key), "a password of somebody who works elsewhere, too"
        if was["is_active"] and not row["is_active"]:
            assert before.has_whole_care(actor, key)
        assert was["is_active"] or not row["is_active"], "a closed account came back"


def check_agencies(before: Picture, after: Picture, actor: int) -> None:
    for key, row in after.agencies.items():
        was = before.agencies.get(key)
        above = after.agencies.get(row["parent_id"])
        if above:
            inside = row["region_id"] in span_of(above["region_id"])
            assert above["kind"] == SUPERVISION
            assert inside or above["region_id"] == COUNTRY
            assert above["region_id"] != row["region_id"] or row["kind"] != SUPERVISION
        if was is None:
            assert any(
                before.is_country(one)
                or (
                    before.agencies[one]["kind"] == SUPERVISION
                    and row["region_id"] in span_of(before.agencies[one]["region_id"])
                    and (row["kind"] != SUPERVISION or row["region_id"] != before.agencies[one]["region_id"])
                )
                for one in before.administers(actor)
            ), "an agency that was not the actor's to enter"
        elif was["suspended_at"] != row["suspended_at"]:
            assert before.is_above(actor, key)
        elif was["name"] != row["name"]:
            assert before.is_above(actor, key) or (key in before.administers(actor) and not was["parent_id"])
