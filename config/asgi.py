"""The one entry of the web server: a shopper's scan goes to the resolver, everything else to Django (docs/adr/0010)."""

import asyncio
import gc
import os
import warnings
from collections.abc import Awaitable, Callable
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# WhiteNoise sends files as WSGI does, and Django tells so in the log: they are small, each is read whole.
warnings.filterwarnings("ignore", "StreamingHttpResponse must consume synchronous iterators")
django_application = get_asgi_application()

from config.bodies import bounded  # noqa: E402 (needs Django set up)
from nongma.public import health, resolver  # noqa: E402 (needs Django set up)

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Any], Awaitable[None]]


bounded_application = bounded(django_application)


class Application:
    """Sends each request to whoever answers it, and opens and closes the resolver with the server."""

    def __init__(self) -> None:
        self._resolver: resolver.Resolver | None = None
        self._starting = asyncio.Lock()

    def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> Awaitable[None]:
        """The ASGI entry: nothing stands between the server and the resolver once that is open."""
        if scope["type"] == "http" and self._resolver is not None and resolver.handles(scope["path"]):
            return self._resolver(scope, receive, send)
        return self._answer(scope, receive, send)

    async def _answer(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] != "http":
            await django_application(scope, receive, send)
        elif resolver.handles(scope["path"]):
            await (await self._started())(scope, receive, send)
        elif scope["path"] == "/healthz":
            await resolver.send_answer(send, scope["method"], health.is_up())
        elif scope["path"] == "/readyz":
            pool = (await self._started()).pool
            await resolver.send_answer(send, scope["method"], await health.is_ready(pool))
        else:
            await bounded_application(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._started()
                # What was loaded stays for good: looking through it for garbage would stop every scan for a while.
                gc.collect()
                gc.freeze()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if self._resolver is not None:
                    await self._resolver.stop()
                    self._resolver = None
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _started(self) -> resolver.Resolver:
        """The resolver, started with the first request where the server knows no lifespan."""
        async with self._starting:
            if self._resolver is None:
                started = resolver.Resolver()
                await started.start()
                self._resolver = started
            return self._resolver


application = Application()
