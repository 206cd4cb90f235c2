"""Where a request comes from, for the audit log."""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from nongma.lib.proxies import address_of

client_address: ContextVar[str | None] = ContextVar("client_address", default=None)


@sync_and_async_middleware
def keep_address(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Keep the client's address while a request is answered."""
    if iscoroutinefunction(get_response):

        async def keep_async(request: HttpRequest) -> HttpResponseBase:
            token = client_address.set(address_of(request))
            try:
                answer: Awaitable[HttpResponseBase] = get_response(request)
                return await answer
            finally:
                client_address.reset(token)

        return keep_async

    def keep(request: HttpRequest) -> HttpResponseBase:
        token = client_address.set(address_of(request))
        try:
            response: HttpResponseBase = get_response(request)
            return response
        finally:
            client_address.reset(token)

    return keep
