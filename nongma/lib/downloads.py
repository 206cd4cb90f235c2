"""Large files sent in pieces, whichever way the server asks for them."""

from collections.abc import AsyncIterator
from typing import IO

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

PIECE = 256 * 1024


def download(request: HttpRequest, file: IO[bytes], *, name: str, content_type: str) -> HttpResponseBase:
    """The open file as a download, closed when it is sent.

    Under ASGI Django would read a FileResponse into memory whole before it sends the first byte.
    """
    if not isinstance(request, ASGIRequest):
        return FileResponse(file, as_attachment=True, filename=name, content_type=content_type)
    size = file.seek(0, 2)
    file.seek(0)
    disposition = content_disposition_header(True, name) or "attachment"
    headers = {"Content-Length": str(size), "Content-Disposition": disposition}
    return StreamingHttpResponse(_pieces(file), content_type=content_type, headers=headers)


async def _pieces(file: IO[bytes]) -> AsyncIterator[bytes]:
    with file:
        while piece := await sync_to_async(file.read)(PIECE):
            yield piece
