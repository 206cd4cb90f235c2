"""What runs out within a week, told once to those whom it concerns (到期提醒)."""

from datetime import date, timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.models import Authorisation, AuthorisedTown, Target, User
from nongma.notices.models import Notice
from nongma.notices.services import Note, notify_each

AHEAD = timedelta(days=7)


def tell_deadlines(on: date | None = None) -> int:
    """Tell of what runs out within a week; how many notices that made. Nobody is told of the same day twice."""
    today = on or timezone.localdate()
    notes = [*_authorisations(today), *_targets(today)]
    known = Notice.objects.filter(user__in={note.user for note in notes}, due_on__range=(today, today + AHEAD))
    before = set(known.values_list("user_id", "about", "due_on"))
    new = [note for note in notes if (note.user, note.about, note.due_on) not in before]
    notify_each(notes=new, kind=Notice.Kind.DEADLINE)
    return len(new)


def _authorisations(today: date) -> list[Note]:
    """A third party's leave to collect: for the county's administrator, and for its people, whose access ends.

    One that goes on without a day between, in all its townships, is not told of.
    """
    ending = _not_renewed(
        list(
            Authorisation.objects.filter(to_on__range=(today, today + AHEAD), from_on__lte=today, revoked_at=None)
            .select_related("third_party__agency")
            .order_by("to_on")
        )
    )
    people: dict[int, list[int]] = {}
    members = User.objects.filter(third_party__in={each.third_party_id for each in ending}, is_active=True)
    for third_party, user in members.values_list("third_party_id", "pk"):
        people.setdefault(third_party, []).append(user)
    notes = []
    for each in ending:
        title, about = f"第三方采集授权 {each.to_on} 到期", f"authorisation:{each.uid}"
        party = each.third_party
        if party.agency.administrator_id:
            url = party.get_absolute_url()
            body = f"{party.name}的人员从第二天起不能再采集；还要继续的，请续签协议、重新授权"
            notes.append(Note(party.agency.administrator_id, title, body, url, about, each.to_on))
        body = "从第二天起不能再采集，请把手里的记录提交完"
        notes += [Note(user, title, body, "", about, each.to_on) for user in people.get(each.third_party_id, ())]
    return notes


def _not_renewed(ending: list[Authorisation]) -> list[Authorisation]:
    """Those with a township that no authorisation of the same third party covers on the day after."""
    firms = {each.third_party_id for each in ending}
    held = AuthorisedTown.objects.filter(
        authorisation__third_party__in=firms, authorisation__revoked_at=None
    ).select_related("authorisation")
    if ending:
        held = held.filter(authorisation__to_on__gte=ending[0].to_on)
    towns: dict[Authorisation, set[int]] = {}
    for town in held:
        towns.setdefault(town.authorisation, set()).add(town.region_id)
    found = []
    for each in ending:
        after = each.to_on + timedelta(days=1)
        others = (own for one, own in towns.items() if one.third_party_id == each.third_party_id and one.runs_on(after))
        if each not in towns or not towns[each] <= set().union(*others):
            found.append(each)
    return found


def _targets(today: date) -> list[Note]:
    """An agency's dates for accounts and training (推广时限): for its administrator."""
    soon = (today, today + AHEAD)
    due = Target.objects.filter(Q(accounts_due_on__range=soon) | Q(training_due_on__range=soon))
    page = reverse("accounts:rollout")
    notes = []
    for target in due.exclude(agency__administrator=None).select_related("agency"):
        for field, what in (("accounts_due_on", "账号分配"), ("training_due_on", "人员培训")):
            day: date = getattr(target, field)
            if soon[0] <= day <= soon[1] and target.agency.administrator_id:
                title, about = f"{what}要在 {day} 前完成", f"target:{target.pk}:{field}"
                notes.append(Note(target.agency.administrator_id, title, "", page, about, day))
    return notes
