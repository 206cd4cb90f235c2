"""Saving a judged chunk of a hand-out: agencies, accounts and posts in a few statements of one transaction."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from nongma.accounts.handouts.judging import Judged
from nongma.accounts.handouts.usernames import take_usernames
from nongma.accounts.models import Agency, Handout, HandoutRow, Membership, Role, User
from nongma.accounts.rollout.figures import recount
from nongma.accounts.services import random_password
from nongma.accounts.services.agencies import take_over
from nongma.accounts.services.posts import note_roles
from nongma.audit.services import record_many

MOST_THREADS = 8
"""An argon2 hash takes 100 MiB while it is made."""


class Secret(NamedTuple):
    """A first password (a random one is never weak) and its hash."""

    password: str
    hashed: str


def secrets_for(rows: Sequence[int]) -> dict[int, Secret]:
    """A first password for each row, hashed on all processors: argon2 lets other threads run meanwhile."""
    passwords = [random_password() for _ in rows]
    with ThreadPoolExecutor(min(len(os.sched_getaffinity(0)), MOST_THREADS)) as pool:
        hashes = list(pool.map(make_password, passwords))
    return {row: Secret(*pair) for row, pair in zip(rows, zip(passwords, hashes, strict=True), strict=True)}


def save_chunk(handout: Handout, judged: Sequence[Judged], secrets: dict[int, Secret]) -> None:
    """Write what the faultless lines bring about, note every line that matters, and count them on the hand-out."""
    sound = [one for one in judged if not one.faults]
    made = [one.agency for one in sound if one.agency and one.is_new_agency]
    _save_agencies(made)
    people = [one for one in sound if one.is_new_user]
    _save_people(people, secrets)
    posts = _save_posts(sound)
    rows = [
        HandoutRow(
            handout=handout,
            row=one.line.row,
            user=None if one.faults else one.user,
            agency=None if one.faults else one.agency,
            first_password=secrets[one.line.row].password if not one.faults and one.is_new_user else "",
            faults=[fault._asdict() for fault in one.faults or one.doubts],
        )
        for one in judged
        if one.faults or one.doubts or one.is_change
    ]
    HandoutRow.objects.bulk_create(rows)
    _record(handout.user, made, people, posts)
    recount(*{one.agency.region_id for one in sound if one.agency and one.is_change})
    handout.agencies += len(made)
    handout.created += len(people)
    handout.changed += sum(one.is_change and not one.is_new_user for one in sound)
    handout.unchanged += sum(not one.is_change for one in sound)
    handout.rejected += len(judged) - len(sound)


def _save_agencies(made: Sequence[Agency]) -> None:
    """From above to below, the 监管 agency of a division first: each knows its parent by then."""
    waves: dict[tuple[int, bool], list[Agency]] = {}
    for agency in made:
        agency.administrator = None  # comes with the post, when the person is saved
        waves.setdefault((agency.level, agency.kind != Agency.Kind.SUPERVISION), []).append(agency)
    for _, wave in sorted(waves.items(), key=lambda item: item[0]):
        Agency.objects.bulk_create(sorted(wave, key=lambda one: (one.region_id, one.kind, one.name)))
    take_over(made)


def _save_people(people: Sequence[Judged], secrets: dict[int, Secret]) -> None:
    users = [(one.line.row, one.user) for one in people if one.user]
    nameless = [user for _, user in users if not user.username]
    names = take_usernames([user.place or 0 for user in nameless])
    for user, name in zip(nameless, names, strict=True):
        user.username = name
    for row, user in users:
        # What the foreign key holds was not known when an agency of this very chunk was put there.
        user.agency, user.password = user.agency, secrets[row].hashed
    User.objects.bulk_create([user for _, user in users])


def _save_posts(sound: Sequence[Judged]) -> list[Membership]:
    today = timezone.localdate()
    posts = Membership.objects.bulk_create(
        Membership(user=one.user, agency=one.agency, role=role, from_on=today)
        for one in sound
        for role in one.roles
        if one.user and one.agency
    )
    manned = []
    for post in posts:
        if post.role == Role.ADMINISTRATOR:
            post.agency.administrator = post.user
            manned.append(post.agency)
    Agency.objects.bulk_update(sorted(manned, key=lambda agency: agency.pk), ["administrator"])
    note_roles({post.user_id for post in posts})
    return posts


def _record(actor: User, made: Sequence[Agency], people: Sequence[Judged], posts: Sequence[Membership]) -> None:
    """The same entries as of agencies, accounts and posts that are made one by one."""
    users = [one.user for one in people if one.user]
    record_many(
        "agency.created",
        actor=actor,
        targets=[("agency", str(one.uid), one.region_id, {"name": one.name, "kind": one.kind}) for one in made],
    )
    record_many(
        "account.created",
        actor=actor,
        targets=[("user", str(user.uid), user.place, {"username": user.username}) for user in users],
    )
    record_many(
        "account.appointed",
        actor=actor,
        targets=[
            ("user", str(post.user.uid), post.agency.region_id, {"agency": post.agency.name, "role": post.role})
            for post in posts
        ],
    )
