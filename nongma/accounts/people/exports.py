"""The list of people as a workbook, phones masked."""

import itertools
from collections.abc import Iterator
from typing import IO

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from nongma.accounts.models import Membership, User
from nongma.lib.sheets.writing import workbook_of
from nongma.regions.queries import paths_of

BATCH = 2_000
HEADINGS = (("行政区划", 34), ("机构", 36), ("姓名", 12), ("用户名", 20), ("角色", 24), ("手机", 14),
            ("状态", 14), ("最近登录", 12), ("最近培训", 12))  # fmt: skip


def people_workbook(people: QuerySet[User], *, mark: str) -> tuple[IO[bytes], int]:
    """The workbook, open at its beginning, marked with who exported it, and how many people it has."""
    return workbook_of("人员", HEADINGS, _rows(people), mark=mark)


def _rows(people: QuerySet[User]) -> Iterator[list[str]]:
    held = Prefetch("memberships", Membership.objects.filter(to_on=None).order_by("id"), to_attr="posts_held")
    found = people.select_related("agency").prefetch_related(held).iterator(chunk_size=BATCH)
    while batch := list(itertools.islice(found, BATCH)):
        paths = paths_of(person.place for person in batch if person.place is not None)
        for person in batch:
            yield _cells(person, paths.get(person.place or 0, ""))


def _cells(person: User, place: str) -> list[str]:
    posts: list[Membership] = getattr(person, "posts_held", [])
    return [
        place,
        person.agency.name if person.agency else "",
        person.name,
        person.username,
        "、".join(post.get_role_display() for post in posts) or ("主体人员" if person.is_operator else ""),
        person.masked_phone,
        person.state_label,
        f"{timezone.localtime(person.last_login):%Y-%m-%d}" if person.last_login else "",
        f"{person.trained_on:%Y-%m-%d}" if person.trained_on else "",
    ]
