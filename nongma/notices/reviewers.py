"""Telling reviewers in the morning how much waits for them (待审核)."""

from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import Any

from django.db.models import Count, F, QuerySet
from django.db.models.functions import Mod
from django.utils import timezone

from nongma.accounts.models import Membership, Role
from nongma.notices.models import Notice
from nongma.notices.services import notify, withdraw
from nongma.regions.models import Region
from nongma.regions.spans import WIDTHS, ancestors_of, span_of


def prompt_reviewers(*, waiting: QuerySet[Any], about: str, title: str, url: str) -> int:
    """Prompt each reviewer in whose area something waits, with its number; how many they are.

    `waiting` are records with a `region`, counted by town in one read. Prompts of an earlier day are written anew; of
    who has nothing waiting any more they are taken back.
    """
    town = F("region_id") - Mod(F("region_id"), WIDTHS[Region.Level.TOWN])
    rows = sorted(waiting.order_by().annotate(town=town).values_list("town").annotate(Count("pk")))
    codes = [code for code, _ in rows]
    sums = [0, *accumulate(count for _, count in rows)]
    places = {place for code in codes for place in (code, *ancestors_of(code))}
    posts = Membership.objects.active(timezone.localdate()).filter(
        role=Role.REVIEWER,
        agency__region_id__in=places | {0} if places else (),
        agency__suspended_at=None,
        user__is_active=True,
        user__suspended_at=None,
    )
    told: dict[int, int] = {}
    for user, region in posts.values_list("user_id", "agency__region_id"):
        span = span_of(region)
        count = sums[bisect_right(codes, span.stop)] - sums[bisect_left(codes, span.start)]
        # Of two posts one may lie inside the other: the larger number is not counted twice.
        told[user] = max(told.get(user, 0), count)
    withdraw(about=about, but=told)
    notify(users=told, kind=Notice.Kind.PROMPT, title=title, url=url, about=about, is_added=False)
    return len(told)
