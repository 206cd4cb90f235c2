"""Trainings, who took part, and by when an area shall be rolled out."""

from collections.abc import Collection
from datetime import date

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from nongma.accounts.models import Agency, Attendance, Target, Training, User
from nongma.accounts.rollout.figures import recount
from nongma.accounts.rollout.people import MOST_AT_ONCE, managed_by
from nongma.audit.services import record
from nongma.lib.refused import Misfilled, Refused

TITLE_LENGTH = 100
EARLIEST = date(2018, 1, 1)


@transaction.atomic
def record_training(*, agency: Agency, title: str, held_on: date, mode: Training.Mode, actor: User) -> Training:
    """Enter a training that an agency held.

    Refuses `outside_area`, and (422) `title_missing`, `held_in_future` and `held_early`.
    Source: 粤农农办〔2018〕42号, 三（一）.
    """
    _check_own(agency, actor)
    title = " ".join(title.split())
    if not title or len(title) > TITLE_LENGTH:
        raise Misfilled("title_missing", f"请填写培训内容，最多 {TITLE_LENGTH} 字", field="title")
    if held_on > timezone.localdate():
        raise Misfilled("held_in_future", "培训日期不能晚于今天：办完再登记", field="held_on")
    if held_on < EARLIEST:
        raise Misfilled("held_early", f"培训日期不能早于 {EARLIEST}", field="held_on")
    training = Training.objects.create(agency=agency, title=title, held_on=held_on, mode=mode, created_by=actor)
    record("training.recorded", actor=actor, target=training, region_code=agency.region_id, name=title)
    return training


@transaction.atomic
def add_attendees(*, training: Training, people: Collection[User], actor: User) -> int:
    """Enter who took part; whoever stands there already is passed over. How many are new.

    Refuses `outside_area`, `people_outside` (somebody is not in the actor's care), and (422) `people_missing` and
    `too_many`.
    """
    training = _locked(training, actor)
    wanted = {user.pk for user in people}
    if not wanted:
        raise Misfilled("people_missing", "请先勾选参训人员", field="people")
    if len(wanted) > MOST_AT_ONCE:
        raise Misfilled("too_many", f"一次最多 {MOST_AT_ONCE} 人，请分几次登记", field="people")
    if managed_by(actor).filter(pk__in=wanted).count() != len(wanted):
        raise Refused("people_outside", "名单里有不归您管理的人，没有登记", field="people")
    there = set(Attendance.objects.filter(training=training, user__in=wanted).values_list("user_id", flat=True))
    new = _lock_people(wanted - there)
    Attendance.objects.bulk_create(Attendance(training=training, user=user) for user in new)
    for user in new:
        user.trained_on = max(filter(None, (user.trained_on, training.held_on)))
    User.objects.bulk_update(new, ["trained_on"])
    if new:
        _record(training, actor, added=len(new))
        recount(*(user.place for user in new))
    return len(new)


@transaction.atomic
def remove_attendee(*, training: Training, user: User, actor: User) -> None:
    """Take somebody off who did not take part after all. Refuses `outside_area` and `not_attended`."""
    training = _locked(training, actor)
    (user,) = _lock_people({user.pk})
    deleted, _ = Attendance.objects.filter(training=training, user=user).delete()
    if not deleted:
        raise Refused("not_attended", f"{user} 不在参训名单里")
    user.trained_on = user.attendances.aggregate(last=Max("training__held_on"))["last"]
    user.save(update_fields=["trained_on"])
    _record(training, actor, added=-1)
    recount(user.place)


@transaction.atomic
def set_target(*, agency: Agency, accounts_due_on: date, training_due_on: date, actor: User) -> Target:
    """Set by when the accounts of an agency's area shall be handed out and its people trained.

    Refuses `outside_area`, `not_supervision` (a 监管 agency leads the roll-out), and (422) `due_past`, of a date that
    is new.
    """
    _check_own(agency, actor)
    if agency.kind != Agency.Kind.SUPERVISION:
        raise Refused("not_supervision", "推广时限由监管机构设定")
    Agency.objects.select_for_update(no_key=True).get(pk=agency.pk)
    before = Target.objects.filter(agency=agency).first()
    dates = {"accounts_due_on": accounts_due_on, "training_due_on": training_due_on}
    for name, day in dates.items():
        if day < timezone.localdate() and day != getattr(before, name, None):
            raise Misfilled("due_past", "请定今天或以后的日子", field=name)
    target, _ = Target.objects.update_or_create(agency=agency, defaults={**dates, "set_by": actor})
    told = {name: str(day) for name, day in dates.items()}
    record("rollout.target_set", actor=actor, target=agency, region_code=agency.region_id, **told)
    return target


def _check_own(agency: Agency, actor: User) -> None:
    if agency.pk not in {one.pk for one in actor.administers}:
        raise Refused("outside_area", "这件事由本机构的平台管理员办理")


def _locked(training: Training, actor: User) -> Training:
    training = Training.objects.select_for_update(of=("self",)).select_related("agency").get(pk=training.pk)
    _check_own(training.agency, actor)
    return training


def _lock_people(pks: Collection[int]) -> list[User]:
    return list(User.objects.select_for_update(no_key=True).filter(pk__in=pks).order_by("pk"))


def _record(training: Training, actor: User, *, added: int) -> None:
    record("training.changed", actor=actor, target=training, region_code=training.agency.region_id, added=added)
