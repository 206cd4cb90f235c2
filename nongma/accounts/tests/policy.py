"""Who may do what with accounts, written from the policy once more, apart from `granting`, to hold it to that.

Source: 湘农发〔2018〕154号, 一; 粤农农办〔2018〕42号, 三（一）.
"""

from dataclasses import dataclass
from typing import Any, Self

from django.utils import timezone

from nongma.accounts.models import Agency, Membership, User
from nongma.audit.models import Entry
from nongma.regions.models import Region
from nongma.regions.spans import Span, span_of

SUPERVISION, MONITORING, ENFORCEMENT = Agency.Kind.SUPERVISION, Agency.Kind.MONITORING, Agency.Kind.ENFORCEMENT
COUNTRY = 0
COUNTY, TOWN = Region.Level.COUNTY, Region.Level.TOWN
HOLDS = {
    SUPERVISION: {"administrator", "reviewer", "collector", "analyst", "brand"},
    MONITORING: {"administrator", "laboratory", "analyst"},
    ENFORCEMENT: {"administrator", "officer", "analyst"},
}
COUNTY_UPWARDS = {"reviewer", "brand"}


@dataclass(frozen=True)
class Picture:
    """Everything that rights hang on, as it stands at a moment."""

    agencies: dict[int, dict[str, Any]]
    people: dict[int, dict[str, Any]]
    posts: dict[int, dict[str, Any]]
    entries: int

    @classmethod
    def take(cls) -> Self:
        people = {row["id"]: row for row in User.objects.order_by("pk").values()}
        for row in people.values():
            row.pop("last_login")
        return cls(
            {row["id"]: row for row in Agency.objects.order_by("pk").values()},
            people,
            {row["id"]: row for row in Membership.objects.order_by("pk").values()},
            Entry.objects.count(),
        )

    def is_cut_off(self, person: int) -> bool:
        row = self.people[person]
        agency = self.agencies.get(row["agency_id"])
        suspended = row["suspended_at"] or (agency and agency["suspended_at"])
        return bool(suspended) or not row["is_active"]

    def held(self, person: int, *, also_suspended: bool = False) -> set[tuple[str, int]]:
        """Role and agency of the posts that a person holds today."""
        today = timezone.localdate()
        return {
            (row["role"], row["agency_id"])
            for row in self.posts.values()
            if row["user_id"] == person
            and row["from_on"] <= today
            and (row["to_on"] is None or row["to_on"] >= today)
            and (also_suspended or not self.agencies[row["agency_id"]]["suspended_at"])
        }

    def administers(self, person: int) -> set[int]:
        return {agency for role, agency in self.held(person) if role == "administrator"}

    def standing(self, person: int) -> set[tuple[str, Span]]:
        """What a person may do where, whoever may act at all."""
        if self.is_cut_off(person):
            return set()
        return {(role, span_of(self.agencies[agency]["region_id"])) for role, agency in self.held(person)}

    def is_manned(self, agency: int) -> bool:
        row = self.agencies[agency]
        person = self.people.get(row["administrator_id"])
        return bool(not row["suspended_at"] and person and person["is_active"] and not person["suspended_at"])

    def grantors(self, agency: int) -> set[int]:
        """The agencies whose administrator hands the account of this one out: the nearest above that has one."""
        manned, above = [], self.agencies[agency]["parent_id"]
        while above:
            if self.is_manned(above):
                manned.append(above)
            above = self.agencies[above]["parent_id"]
        found = set(manned[:1])
        if self.is_station(agency):
            found |= set([one for one in manned if self.agencies[one]["level"] <= COUNTY][:1])
        return found

    def is_station(self, agency: int) -> bool:
        row = self.agencies[agency]
        return row["kind"] == SUPERVISION and row["level"] >= TOWN

    def holds(self, agency: int, role: str) -> bool:
        row = self.agencies[agency]
        return role in HOLDS[row["kind"]] and (role not in COUNTY_UPWARDS or row["level"] <= COUNTY)

    def may_grant(self, actor: int, agency: int, role: str) -> bool:
        own, grantors = self.administers(actor), self.grantors(agency)
        if not self.holds(agency, role) or self.is_cut_off(actor):
            return False
        if own & grantors and (role == "administrator" or self.is_station(agency)):
            return True
        return agency in own and (role != "administrator" or not grantors)

    def oversees(self, actor: int, agency: int) -> bool:
        """Whether an agency is in a person's care: the own, or one below a 监管 agency that the person administers."""
        row = self.agencies[agency]
        for one in self.administers(actor):
            over = self.agencies[one]
            below = over["region_id"] != row["region_id"] and row["region_id"] in span_of(over["region_id"])
            if one == agency or (over["kind"] == SUPERVISION and (below or row["parent_id"] == one)):
                return True
        return any(self.is_country(one) for one in self.administers(actor))

    def is_country(self, agency: int) -> bool:
        row = self.agencies[agency]
        return bool(row["kind"] == SUPERVISION and row["region_id"] == COUNTRY)

    def is_above(self, actor: int, agency: int) -> bool:
        return self.oversees(actor, agency) and any(
            self.agencies[one]["kind"] == SUPERVISION and one != agency for one in self.administers(actor)
        )

    def has_whole_care(self, actor: int, person: int) -> bool:
        """Whether every post of a person, present or to come, is at an agency in the actor's care."""
        row, today = self.people[person], timezone.localdate()
        if row["is_operator"]:
            return any(
                self.agencies[one]["kind"] == SUPERVISION and row["place"] in span_of(self.agencies[one]["region_id"])
                for one in self.administers(actor)
            )
        agencies = {row["agency_id"]} | {
            post["agency_id"]
            for post in self.posts.values()
            if post["user_id"] == person and (post["to_on"] is None or post["to_on"] >= today)
        }
        return all(self.oversees(actor, agency) for agency in agencies if agency)
