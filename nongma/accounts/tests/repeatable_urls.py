"""A small API of two operations, one for JSON and one for uploads, whose work is a row that can be counted."""

from typing import Any

from django.http import HttpRequest
from django.urls import path
from ninja import File, NinjaAPI, Schema, UploadedFile
from ninja.responses import Status

from config.urls import urlpatterns as pages
from nongma.accounts.access import Action
from nongma.accounts.api import authenticated, idempotent, requires_api
from nongma.accounts.models import Agency
from nongma.lib import problems
from nongma.lib.refused import Refused
from nongma.testing import HAINAN

api = NinjaAPI(urls_namespace="repeatable", auth=authenticated)
problems.register(api)


class NameIn(Schema):
    name: str


class NameOut(Schema):
    number: int
    name: str


def _add(name: str) -> Agency:
    agency: Agency = Agency.objects.create(name=name, region_id=HAINAN, level=1, kind=Agency.Kind.SUPERVISION)
    return agency


@api.post("/names", response={201: NameOut})
@requires_api(Action.MANAGE_ACCOUNTS)
@idempotent
def add(request: HttpRequest, body: NameIn) -> Any:
    agency = _add(body.name)
    if body.name == "refuse":
        agency.delete()
        raise Refused("not_this", "这个不行", field="name")
    if body.name == "crash":
        raise RuntimeError("halfway")
    return Status(201, {"number": agency.pk, "name": body.name})


@api.post("/files", response={201: NameOut})
@requires_api(Action.MANAGE_ACCOUNTS)
@idempotent
def upload(request: HttpRequest, file: File[UploadedFile]) -> Any:
    return Status(201, {"number": _add(file.read(3).decode()).pk, "name": file.name})


# The pages too: an answer that is refused is drawn as a page before it becomes a problem document.
urlpatterns = [path("api/test/", api.urls), *pages]
