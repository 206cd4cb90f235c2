"""Passwords and lost phones: one's own, and those of people in one's care."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from nongma.accounts.granting import has_area, oversees
from nongma.accounts.models import Agency, HandoutRow, User
from nongma.accounts.queries import operator_places_of
from nongma.accounts.second_factor import forget_phone
from nongma.accounts.services.telling import tell_password_reset
from nongma.audit.services import record
from nongma.lib.letters import random_letters
from nongma.lib.refused import Refused
from nongma.regions.spans import EVERYWHERE

PASSWORD_LETTERS = 16


def random_password() -> str:
    """A password to be read out once, which its person has to change: 16 letters, 79 bits."""
    return random_letters(PASSWORD_LETTERS)


@transaction.atomic
def change_password(*, user: User, new: str, actor: User, old: str | None = None) -> User:
    """Set a password: one's own with the old one, another's as the administrator who looks after the account.

    Every session and token of the person ends, and a slip with the first password is done with. One that an
    administrator sets has to be changed at the next sign-in, except by the demo's people, whose password is public.
    Refuses `wrong_password`, `same_password`, `weak_password` and `outside_area`.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    own = user.pk == actor.pk
    if own:
        if old is None or not user.check_password(old):
            raise Refused("wrong_password", "原密码不对", field="old")
        if old == new:
            raise Refused("same_password", "新密码要和原密码不一样", field="new")
    elif not looks_after(actor, user):
        raise Refused("outside_area", "这个人不归您管理")
    check_strength(new, user)
    user.set_password(new)
    user.must_change_password = not own and not user.is_demo
    user.save(update_fields=["password", "must_change_password"])
    HandoutRow.objects.filter(user=user).exclude(first_password="").update(first_password="")
    action = "account.password_changed" if own else "account.password_reset"
    record(action, actor=actor, target=user, region_code=user.place)
    if not own:
        tell_password_reset(user=user)
    return user


def reset_password(*, user: User, actor: User) -> str:
    """Give a person a new random password, to be handed over once; refuses what `change_password` refuses."""
    password = random_password()
    change_password(user=user, new=password, actor=actor)
    return password


@transaction.atomic
def remove_lost_device(*, user: User, actor: User) -> User:
    """Stop asking a person for one-time codes, whose phone is lost; who must have one enrols the next phone.

    Refuses `self` (one's own is removed under 我的账号, by password), `outside_area` and `totp_not_enrolled`.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if user.pk == actor.pk:
        raise Refused("self", "自己的动态口令要在“我的账号”里停用；手机丢了，请另一位管理员办理")
    if not looks_after(actor, user):
        raise Refused("outside_area", "这个人不归您管理")
    if not user.has_totp:
        raise Refused("totp_not_enrolled", f"{user} 没有启用动态口令")
    forget_phone(user)
    record("account.totp_removed", actor=actor, target=user, region_code=user.place)
    return user


def looks_after(actor: User, user: User) -> bool:
    """Whether the person's account is wholly in the actor's care: at every agency, or operator, that it works for.

    Whoever could set the password of a person with a post elsewhere would gain that post's rights.
    """
    if user.is_operator:
        places = operator_places_of(user) or {user.place or EVERYWHERE.start}
        return all(has_area(actor, place) for place in places)
    posts = user.memberships.exclude(to_on__lt=timezone.localdate()).values_list("agency", flat=True)
    agencies = list(Agency.objects.filter(pk__in=[pk for pk in (*posts, user.agency_id) if pk]))
    if not agencies:
        return has_area(actor, EVERYWHERE.start)
    return all(oversees(actor, agency) for agency in agencies)


def check_strength(password: str, user: User) -> None:
    """Refuses `weak_password`."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refused("weak_password", "；".join(one.rstrip("。") for one in error.messages), field="new") from None
