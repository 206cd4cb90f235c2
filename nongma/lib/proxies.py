"""Who really asks where a proxy stands in front: what it says is believed only of one that settings name."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

Address = IPv4Address | IPv6Address

FORWARDED_FOR = "HTTP_X_FORWARDED_FOR"
FORWARDED_SCHEME = "HTTP_X_FORWARDED_PROTO"


@sync_and_async_middleware
def see_through_proxies(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Middleware, the outermost: makes `REMOTE_ADDR` the client's and forgets a scheme that a stranger told."""
    if iscoroutinefunction(get_response):

        async def see_async(request: HttpRequest) -> HttpResponseBase:
            _see_through(request)
            response: HttpResponseBase = await get_response(request)
            return response

        return see_async

    def see(request: HttpRequest) -> HttpResponseBase:
        _see_through(request)
        response: HttpResponseBase = get_response(request)
        return response

    return see


def address_of(request: HttpRequest) -> str | None:
    """The client's address, behind `see_through_proxies`; None where there is none, as behind a Unix socket."""
    address = _parsed(request.META.get("REMOTE_ADDR", ""))
    return str(address) if address else None


def network_of(address: str | None) -> str | None:
    """What asks from an address are counted by: IPv6 by its /64, which one household has to itself; IPv4 as it is."""
    parsed = _parsed(address or "")
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False).network_address)
    return str(parsed) if parsed else None


def client_address(peer: str, forwarded_for: str) -> str:
    """Whoever speaks to the outermost proxy that is trusted: the right-most untrusted address of `X-Forwarded-For`.

    What stands left of it anybody may have written. The header is not looked at when the peer itself is not trusted;
    what can't be read ends the walk at the last proxy that could.
    """
    address = _parsed(peer)
    if address is None or not _is_trusted(address):
        return peer
    for text in reversed(forwarded_for.split(",")):
        further = _parsed(text)
        if further is None:
            break
        address = further
        if not _is_trusted(address):
            break
    return str(address)


def _see_through(request: HttpRequest) -> None:
    peer = request.META.get("REMOTE_ADDR", "")
    address = _parsed(peer)
    if address is None or not _is_trusted(address):
        request.META.pop(FORWARDED_SCHEME, None)
    request.META["REMOTE_ADDR"] = client_address(peer, request.META.get(FORWARDED_FOR, ""))


def _is_trusted(address: Address) -> bool:
    return any(address in network for network in settings.TRUSTED_PROXIES)


def _parsed(text: str) -> Address | None:
    """An address as proxies write it: alone or with a port, IPv6 bare or in brackets, IPv4 inside IPv6 as itself."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
