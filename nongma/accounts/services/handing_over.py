"""Handing a post over when a person changes post (交接): the history stays with the post."""

from datetime import date, timedelta

from django.db import models, transaction
from django.utils import timezone

from nongma.accounts.models import Membership, Role, User
from nongma.accounts.rollout.figures import recount
from nongma.accounts.services.passwords import random_password
from nongma.accounts.services.people import create_user, deactivate_user, suspend_user
from nongma.accounts.services.posts import end_post, give_post, locked_post
from nongma.accounts.services.telling import tell_appointed
from nongma.audit.services import record
from nongma.lib.refused import Misfilled, Refused

REASON = "职务已交接"


class Leaver(models.TextChoices):
    """What becomes of the account of whoever hands a post over."""

    KEEP = "keep", "保留，还有别的工作"
    SUSPEND = "suspend", "停用"
    CLOSE = "close", "注销，不再使用"


@transaction.atomic
def hand_over(
    *, membership: Membership, to: User, actor: User, on: date | None = None, leaver: Leaver = Leaver.KEEP
) -> Membership:
    """Pass a post on to another person from a day on (today).

    The successor sees what the one before has begun (`queries.tenures_before`). Refuses what `appoint` refuses, what
    suspending or closing the leaver's account refuses, `already_dismissed`, `same_person`, and (422) `on_early` (before
    the post began) and `on_late` (in the future).
    """
    membership = locked_post(membership)
    agency, role, before = membership.agency, Role(membership.role), membership.user
    user = User.objects.select_for_update(no_key=True).get(pk=to.pk)
    if user.pk == before.pk:
        raise Refused("same_person", "接任的就是现在这位", field="to")
    today = timezone.localdate()
    day, left = on or today, user.place
    if day > today:
        raise Misfilled("on_late", "交接日期最晚是今天", field="on")
    if day <= membership.from_on and day != today:
        raise Misfilled("on_early", "交接日期要在任职日期之后", field="on")
    end_post(membership, day - timedelta(days=1))
    post = give_post(user, agency, role, actor, day, follows=membership)
    record(
        "account.handed_over",
        actor=actor,
        target=user,
        region_code=agency.region_id,
        agency=agency.name,
        role=role,
        before=before.name,
    )
    record(
        "account.handed_on",
        actor=actor,
        target=before,
        region_code=agency.region_id,
        agency=agency.name,
        role=role,
        successor=user.name,
    )
    tell_appointed(post=post, actor=actor)
    if leaver == Leaver.SUSPEND:
        suspend_user(user=before, reason=REASON, actor=actor)
    elif leaver == Leaver.CLOSE:
        deactivate_user(user=before, reason=REASON, actor=actor)
    recount(left, agency.region_id)
    return post


@transaction.atomic
def hand_over_to_new(
    *,
    membership: Membership,
    username: str,
    name: str,
    actor: User,
    phone: str = "",
    on: date | None = None,
    leaver: Leaver = Leaver.KEEP,
) -> tuple[User, str]:
    """Pass a post on to somebody who has no account yet: the person and the first password, told once.

    Refuses what `create_user` and `hand_over` refuse.
    """
    password = random_password()
    user = create_user(
        username=username, name=name, password=password, actor=actor, agency=membership.agency, phone=phone
    )
    hand_over(membership=membership, to=user, actor=actor, on=on, leaver=leaver)
    return user, password
