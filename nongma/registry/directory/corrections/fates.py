"""Which of some entries get a notice of a matter, and why the others don't."""

from typing import Any

from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, QuerySet, Value, When

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.lib.refused import Refused
from nongma.registry.directory.queries import EntryFilter
from nongma.registry.models import Correction, DirectoryEntry, Operator, OperatorMember, Uncoded
from nongma.registry.models.directory import DirectoryEntryQuerySet

MOST_SENT = 50_000
"""Of one sending: more than a county can follow up."""
ANSWERING = (Operator.Status.APPROVED, Operator.Status.IMPORTED)
CONCERNED = {
    Correction.Matter.MISSING: ~Q(lacks=[]),
    Correction.Matter.STALE: Q(is_stale=True),
    Correction.Matter.UNCODED: Q(uncoded=Uncoded.IDLE),
}
"""What the directory must say of an entry, that a notice of the matter makes sense; a wrong one is found by people."""
SENT = "sent"


def entries_for(user: User, wanted: EntryFilter) -> DirectoryEntryQuerySet:
    """The entries that are meant, where the user may ask for records to be put right."""
    return wanted.apply(DirectoryEntry.objects.filter(scope_of(user, Action.SUPERVISE_OPERATORS).query("region_id")))


def with_fates(entries: DirectoryEntryQuerySet, matter: Correction.Matter, user: User) -> QuerySet[Any]:
    """The entries with `fate`, `sent` or the field of `Sending` that counts why not, and `is_heard`, by anybody."""
    open_ones = Correction.objects.open().filter(operator=OuterRef("operator"), matter=matter)
    here = scope_of(user, Action.SUPERVISE_OPERATORS).query("operator__region_id")
    reasons = [
        When(Q(operator=None), then=Value("unregistered")),
        When(~Q(operator__status__in=ANSWERING) | ~here, then=Value("inactive")),
        When(Exists(open_ones), then=Value("still_open")),
    ]
    if matter in CONCERNED:
        reasons.append(When(~CONCERNED[matter], then=Value("unconcerned")))
    return entries.annotate(
        fate=Case(*reasons, default=Value(SENT), output_field=CharField()),
        is_heard=Exists(OperatorMember.objects.open().filter(operator=OuterRef("operator"))),
    )


def forecast(user: User, wanted: EntryFilter, matter: Correction.Matter) -> dict[str, int]:
    """How many entries are `found`, and of those, by `fate`, `sent` and left out, and `unheard`.

    Refuses `too_many` and `nothing_found`.
    """
    entries = entries_for(user, wanted)
    found = entries.order_by()[: MOST_SENT + 1].count()
    if found > MOST_SENT:
        raise Refused("too_many", f"一次最多发给 {MOST_SENT:,} 个主体，没有发。请先按地区或情况缩小范围")
    if not found:
        raise Refused("nothing_found", "没有符合条件的主体")
    counts = with_fates(entries, matter, user).order_by().values_list("fate", "is_heard").annotate(Count("pk"))
    answer = {"found": 0, SENT: 0, "unheard": 0}
    for fate, is_heard, count in counts:
        answer["found"] += count
        answer[fate] = answer.get(fate, 0) + count
        if fate == SENT and not is_heard:
            answer["unheard"] += count
    return answer
