"""How often a person may learn that somebody is on file (查重次数): numbers of others are not tried one by one."""

from collections.abc import Callable
from contextvars import ContextVar
from datetime import timedelta
from functools import wraps
from typing import ParamSpec, TypeVar

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from nongma.accounts.models import User
from nongma.audit.middleware import client_address
from nongma.audit.services import record
from nongma.lib.locks import take_turn
from nongma.lib.proxies import network_of
from nongma.lib.refused import Refused
from nongma.lib.retention import delete_rows
from nongma.registry.models import KnownTry

Inputs = ParamSpec("Inputs")
Result = TypeVar("Result")
TURN = 0x7472_6965
COUNTED_FOR = timedelta(days=1)
LIMIT = Refused("limit_reached", "您填的信息多次和已登记的主体相同，今天不能再试了；请联系县级管理部门核实")

_is_counted: ContextVar[bool] = ContextVar("is_counted", default=False)


def tries_counted(act: Callable[Inputs, Result]) -> Callable[Inputs, Result]:
    """Around a service that answers `already_registered` to an operator's person; stands outside its transaction.

    A try is noted before the answer and taken back when there was nothing to learn from it, so that many at once count
    each. Refuses `limit_reached` after settings.KNOWN_PER_ACCOUNT such answers to the account, or
    settings.KNOWN_PER_ADDRESS from its network, within a day; on record. Agencies see who is on file anyway.
    """

    @wraps(act)
    def counted(*args: Inputs.args, **kwargs: Inputs.kwargs) -> Result:
        actor = kwargs["actor"]
        assert isinstance(actor, User)
        if not actor.is_operator or _is_counted.get():
            return act(*args, **kwargs)
        tried = _note(actor)
        if tried is None:
            record("account.tries_over", actor=actor, target=actor, region_code=actor.place)
            raise Refused(LIMIT.code, LIMIT.message)
        inside = _is_counted.set(True)
        try:
            result = act(*args, **kwargs)
        except Refused as refusal:
            if refusal.code == "already_registered":
                record("account.met_known", actor=actor, target=actor, region_code=actor.place, input=refusal.field)
            else:
                tried.delete()
            raise
        finally:
            _is_counted.reset(inside)
        tried.delete()
        return result

    return counted


def forget_tries() -> int:
    """Delete tries that count no more; how many."""
    return delete_rows(KnownTry.objects.filter(at__lte=timezone.now() - COUNTED_FOR), by=["at"])


@transaction.atomic
def _note(actor: User) -> KnownTry | None:
    """The try, noted; None when it is one too many."""
    network = network_of(client_address.get())
    for name in (f"account:{actor.pk}", f"network:{network}") if network else (f"account:{actor.pk}",):
        take_turn(TURN, name)
    recent = KnownTry.objects.filter(at__gt=timezone.now() - COUNTED_FOR).order_by()
    by_account = recent.filter(user=actor)[: settings.KNOWN_PER_ACCOUNT].count()
    by_network = recent.filter(network=network)[: settings.KNOWN_PER_ADDRESS].count() if network else 0
    if by_account >= settings.KNOWN_PER_ACCOUNT or by_network >= settings.KNOWN_PER_ADDRESS:
        return None
    return KnownTry.objects.create(user=actor, network=network)
