"""What somebody has typed of an origin and not sent in yet (草稿): kept as typed, found again on another phone."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from nongma.accounts.access import Action, may
from nongma.accounts.models import User
from nongma.lib.refused import Misfilled, Refused
from nongma.lib.retention import in_batches
from nongma.origins.collecting.photos import delete_with_files
from nongma.origins.models import Origin, OriginDraft, OriginPhoto

MOST_DRAFTS = 50
MOST_VALUES = 20
LONGEST_INPUT = 200
KEPT_FOR = timedelta(days=90)

Inputs = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class ShownDraft:
    """A draft as its person finds it in a list."""

    draft: OriginDraft
    name: str
    product: str
    place: str
    changed_at: datetime


@transaction.atomic
def save_draft(*, uid: UUID, inputs: Inputs, actor: User, updates: Origin | None = None) -> OriginDraft:
    """Keep what was typed so far, in the place of what was kept of it before.

    Refuses `not_collector`, `draft_gone` (it was sent in already, or is somebody else's), `too_many_drafts`, and, with
    422, `draft_too_long`.
    """
    if not may(actor, Action.ENTER_ORIGIN):
        raise Refused("not_collector", "您的角色不能采集产地信息")
    # The person's own saves wait for each other; what is sent in meanwhile is seen.
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    if Origin.objects.filter(uid=uid).exists():
        raise Refused("draft_gone", "这份草稿已经提交了")
    for values in inputs.values():
        if len(values) > MOST_VALUES or any(len(value) > LONGEST_INPUT for value in values):
            raise Misfilled("draft_too_long", "填得太长，没有保存")
    kept = json.dumps({name: list(values) for name, values in inputs.items()}, ensure_ascii=False)
    draft = OriginDraft.objects.filter(uid=uid).first()
    if draft and draft.user_id != actor.pk:
        raise Refused("draft_gone", "这份草稿不是您的，请重新打开采集页面")
    if draft is None:
        if OriginDraft.objects.filter(user=actor).count() >= MOST_DRAFTS:
            raise Refused("too_many_drafts", f"最多保存 {MOST_DRAFTS} 份草稿，请先提交或删除旧的")
        draft = OriginDraft(uid=uid, user=actor, updates=updates)
    draft.inputs_json = kept
    draft.save()
    return draft


@transaction.atomic
def discard_draft(*, draft: OriginDraft, actor: User) -> None:
    """Throw a draft of one's own away, with its photos. Refuses `draft_gone`."""
    held = OriginDraft.objects.select_for_update().filter(pk=draft.pk, user=actor).first()
    if held is None:
        raise Refused("draft_gone", "这份草稿已经提交或删除了")
    delete_with_files(OriginPhoto.objects.filter(draft=held))
    held.delete()


def inputs_of(draft: OriginDraft) -> dict[str, list[str]]:
    """What was typed."""
    kept: dict[str, list[str]] = json.loads(draft.inputs_json)
    return kept


def drafts_of(user: User) -> list[ShownDraft]:
    """The person's drafts, the newest first, by what tells one from another."""
    shown = []
    for draft in OriginDraft.objects.visible_to(user).select_related("updates__operator", "updates__product"):
        inputs = inputs_of(draft)
        first = {name: values[0] for name, values in inputs.items() if values}
        old = draft.updates
        shown.append(
            ShownDraft(
                draft,
                old.operator.name if old else first.get("operator_text") or first.get("name") or "还没有填主体",
                old.product.name if old else first.get("product_text") or "",
                first.get("region_text", ""),
                draft.changed_at,
            )
        )
    return shown


def forget_drafts() -> int:
    """Delete drafts that nobody touched for 90 days, with their photos; how many."""
    old = OriginDraft.objects.filter(changed_at__lt=timezone.now() - KEPT_FOR)
    return in_batches(old, by=["changed_at"], do=_delete)


def _delete(keys: list[int]) -> None:
    delete_with_files(OriginPhoto.objects.filter(draft__in=keys))
    OriginDraft.objects.filter(pk__in=keys).delete()
