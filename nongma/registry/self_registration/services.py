"""Who registers for themselves (自主登记): signing in by phone, the draft, sending in."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from hashlib import sha256
from typing import IO, Any

from django.core.files.base import ContentFile
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from nongma.accounts.access import Action, must_use_totp, roles_of, scope_of
from nongma.accounts.models import Role, User
from nongma.accounts.services import change_person, place_operator_person
from nongma.accounts.services.turns import wait_for_turn
from nongma.accounts.signing_in import start_session
from nongma.audit.services import record
from nongma.catalogue.models import Product
from nongma.lib.fields import blind_index, blind_indexes
from nongma.lib.letters import DASH, random_letters
from nongma.lib.refused import Misfilled, Refused
from nongma.registry.models import Draft, Licence, Operator, OperatorMember, Produce
from nongma.registry.self_registration.codes import use_code
from nongma.registry.services import register_operator


@dataclass(frozen=True)
class Declared:
    """A product that somebody grows or keeps, and how much of it in a unit of `Product.scale_units`."""

    product: Product
    unit: str
    scale: Decimal | None


BY_PASSWORD = "请用用户名和密码登录"  # noqa: S105, a sentence
USERNAME_LETTERS = 12  # of 31 each: 59 bits
LONGEST_INPUT = 200
MOST_VALUES = 20
DRAFTS_KEPT_FOR = timedelta(days=90)
CONSENT = "2026-11"
"""The version of the text about personal data that a person agrees to (templates/registry/self/privacy.html)."""


def sign_in_by_phone(*, request: HttpRequest, phone: str, code: str) -> User:
    """Sign in the operator's person whose phone it is, or a new one, by the code that was sent to it.

    Refuses what `use_code` does, and, to who has the right code only: `official` (a post in an agency),
    `several_accounts`, `totp_needed`, `first_password`, `suspended` and `closed`.
    """
    try:
        use_code(phone=phone, code=code)
    except Refused:
        _note_failure(phone)
        raise
    user = _known(phone) or _enter(phone)
    start_session(request=request, user=user, by="phone")
    return user


@transaction.atomic
def save_draft(*, inputs: Mapping[str, Sequence[str]], actor: User) -> Draft:
    """Keep what was typed so far, in the place of what was kept before.

    Refuses `official` (who registers others by the office's page), `member_already` (who is registered has nothing to
    draft) and, with 422, `draft_too_long`.
    """
    if not actor.is_operator:
        raise Refused("official", "机构人员请在“主体”里登记")
    _wait_for_own_turn(actor)
    if OperatorMember.objects.filter(user=actor).exists():
        raise Refused("member_already", "您已经登记过了")
    for values in inputs.values():
        if len(values) > MOST_VALUES or any(len(value) > LONGEST_INPUT for value in values):
            raise Misfilled("draft_too_long", "填得太长，没有保存")
    kept = json.dumps({name: list(values) for name, values in inputs.items()}, ensure_ascii=False)
    draft, _ = Draft.objects.update_or_create(user=actor, defaults={"inputs_json": kept})
    return draft


def draft_of(user: User) -> dict[str, list[str]]:
    """What the person typed and has not sent; empty when there is nothing."""
    draft = Draft.objects.filter(user=user).first()
    kept: dict[str, list[str]] = json.loads(draft.inputs_json) if draft else {}
    return kept


def forget_drafts() -> int:
    """Delete drafts that nobody touched for 90 days; how many."""
    return Draft.objects.filter(changed_at__lt=timezone.now() - DRAFTS_KEPT_FOR).delete()[0]


@transaction.atomic
def send_in(*, actor: User, produce: Sequence[Declared] = (), licence: bytes | None = None, **inputs: Any) -> Operator:
    """Register the actor's operator for review, with the consent on record; the draft is done with.

    Takes the inputs of `register_operator` and refuses what it does, besides what it grows or keeps, and the photo of
    its licence as `plain_photo` gives it. An account that was made by phone gets the
    contact's name and the operator's place.
    """
    operator = register_operator(actor=actor, **inputs)
    record("operator.consented", actor=actor, target=operator, region_code=operator.region_id, text=CONSENT)
    place_operator_person(actor, operator.region_id)
    if actor.name == _name_for(actor.phone) and operator.contact:
        change_person(user=actor, name=operator.contact, phone="", email="", actor=actor)
    Produce.objects.bulk_create(
        Produce(operator=operator, product=one.product, unit=one.unit, scale=one.scale) for one in produce
    )
    Draft.objects.filter(user=actor).delete()
    if licence:
        _keep_licence(operator, licence, actor)
    return operator


@transaction.atomic
def open_licence(*, operator: Operator, actor: User) -> IO[Any]:
    """The photo of a licence to look at, by the operator's own people or a reviewer of the place; on record.

    Refuses `not_allowed`, `licence_missing` and `file_unreadable`.
    """
    own = operator.members.filter(user=actor).exists()
    if not own and operator.region_id not in scope_of(actor, Action.REVIEW_OPERATORS):
        raise Refused("not_allowed", "只有本主体的人和审核员可以看执照照片")
    kept = Licence.objects.filter(operator=operator).first()
    if kept is None:
        raise Refused("licence_missing", "这个主体没有传过执照照片")
    try:
        file = kept.photo.open()
    except (OSError, ValueError):
        raise Refused("file_unreadable", "照片读不出来，请联系运维人员") from None
    record("operator.licence_read", actor=actor, target=operator, region_code=operator.region_id)
    return file


def _keep_licence(operator: Operator, photo: bytes, actor: User) -> None:
    """Last in its transaction: a file is not taken back by the database."""
    kept = Licence(operator=operator, digest=sha256(photo).digest(), uploaded_by=actor)
    kept.photo.save(f"{kept.uid}.jpg", ContentFile(photo), save=False)
    try:
        with transaction.atomic():
            kept.save()
    except BaseException:
        kept.photo.delete(save=False)
        raise


def _known(phone: str) -> User | None:
    """The operator's person whose phone it is, or a refusal of who may not come this way."""
    people = [
        user
        for user in User.objects.filter(phone_index__in=blind_indexes(phone)).select_related("agency").order_by("id")
        if user.is_open or not user.is_demo
    ]
    own = [user for user in people if user.is_operator and user.is_active]
    if len(own) > 1:
        raise Refused("several_accounts", f"这个手机号有几个账号，{BY_PASSWORD}", field="code")
    if own:
        _check_may_come_by_phone(own[0])
        return own[0]
    if any(user.is_active for user in people):
        raise Refused("official", f"这个手机号是机构人员的，{BY_PASSWORD}", field="code")
    if any(user.is_operator for user in people):
        raise Refused("closed", "这个手机号的账号已注销，请联系县级管理部门", field="code")
    return None


def _check_may_come_by_phone(user: User) -> None:
    if user.is_suspended:
        record("account.refused", actor=None, target=user, region_code=user.place)
        raise Refused("suspended", "账号已停用，请联系县级管理部门", field="code")
    if roles_of(user) - {Role.OPERATOR}:
        raise Refused("official", f"您在机构里有职务，{BY_PASSWORD}", field="code")
    if user.has_totp or must_use_totp(user):
        raise Refused("totp_needed", f"您启用了动态口令，{BY_PASSWORD}和动态口令", field="code")
    if user.must_change_password:
        raise Refused("first_password", f"您的初始密码还没有改过，第一次{BY_PASSWORD}", field="code")


@transaction.atomic
def _enter(phone: str) -> User:
    """A new account of who will register an operator: no password, no place yet."""
    wait_for_turn()
    if known := _known(phone):
        return known
    username = "u" + random_letters(USERNAME_LETTERS).replace(DASH, "")
    user = User(username=username, name=_name_for(phone), phone=phone, phone_index=blind_index(phone), is_operator=True)
    user.set_unusable_password()
    user.save()
    record("account.created", actor=None, target=user, username=username)
    return user


def _name_for(phone: str) -> str:
    return f"手机尾号{phone[-4:]}"


def _note_failure(phone: str) -> None:
    """A false code stands in the log of who it would have signed in."""
    known = User.objects.filter(phone_index__in=blind_indexes(phone), is_operator=True, is_active=True)[:2]
    if len(known) == 1:
        record("account.text_code_failed", actor=None, target=known[0], region_code=known[0].place)


def _wait_for_own_turn(user: User) -> None:
    """As `register_operator` does: a draft that arrives late does not come back after the registration."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
