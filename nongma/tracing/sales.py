"""Reading who a lot was sold to and bought from (交易对方), as the person who asks may read the names."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from nongma.accounts.access import Action, scope_of
from nongma.accounts.models import User
from nongma.lib.masking import mask_name
from nongma.registry.models import Operator
from nongma.registry.names import public_name
from nongma.tracing.models import Lot, Transfer, TransferQuerySet

MOST_SHOWN = 100


@dataclass(frozen=True)
class Party:
    """One side of a sale. `url` is empty when the person who asks may not open its record."""

    name: str
    url: str = ""


@dataclass(frozen=True)
class Sale:
    """A transfer and who stands on its two sides."""

    transfer: Transfer
    seller: Party
    buyer: Party

    def other_lot(self, lot: Lot) -> int | None:
        """The id of the lot that stands on the other side; None for a buyer who is not registered."""
        return self.transfer.lot_id if self.transfer.received_id == lot.pk else self.transfer.received_id

    def other_side(self, lot: Lot) -> Party:
        """Who the lot came from or went to."""
        return self.seller if self.transfer.received_id == lot.pk else self.buyer


def sales_of(lot: Lot, user: User) -> list[Sale]:
    """How a lot was bought, then its newest sales, the newest first."""
    bought, sold = Transfer.objects.filter(received=lot), Transfer.objects.filter(lot=lot)
    return _told(lot, user, [*_with_parties(bought, user), *_with_parties(sold, user)[:MOST_SHOWN]])


def sales_behind(causes: Iterable[UUID | None], lot: Lot, user: User) -> dict[UUID, Sale]:
    """The sales that lines of a lot's ledger come from, by what stands as their cause."""
    found = _with_parties(Transfer.objects.filter(uid__in=[cause for cause in causes if cause]), user)
    return {sale.transfer.uid: sale for sale in _told(lot, user, found)}


def _with_parties(transfers: TransferQuerySet, user: User) -> TransferQuerySet:
    return transfers.visible_to(user).select_related("seller", "buyer").order_by("-id")


def _told(lot: Lot, user: User, transfers: Iterable[Transfer]) -> list[Sale]:
    """The sales with their names.

    A household's name is a person's: it is told in full to whoever may open its record. A name that the seller wrote
    is told to the seller, and to the authority that may recall the lot and so has to find where it went.
    """
    found = list(transfers)
    parties = {each.seller_id for each in found} | {each.buyer_id for each in found if each.buyer_id}
    seen = set(Operator.objects.visible_to(user).filter(pk__in=parties).values_list("pk", flat=True))
    is_own = user.is_operator and lot.operator.members.open().filter(user=user).exists()
    in_full = is_own or lot.region_id in scope_of(user, Action.RECALL_LOTS)

    def party(operator: Operator) -> Party:
        if operator.pk in seen:
            return Party(operator.name, operator.get_absolute_url())
        return Party(public_name(operator))

    def written(name: str) -> Party:
        return Party(name if in_full else mask_name(name))

    return [
        Sale(each, party(each.seller), party(each.buyer) if each.buyer else written(each.buyer_name)) for each in found
    ]
