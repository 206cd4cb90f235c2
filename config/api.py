"""The open API at /api/v1/: the routers of all rooms, and the document that describes them."""

import json
from collections import Counter
from importlib import import_module
from typing import Any, cast

from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from ninja import NinjaAPI
from ninja.openapi.docs import Swagger
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.parser import Parser
from ninja.renderers import JSONRenderer

from nongma.accounts.api import authenticated
from nongma.lib import problems

# Each room writes its addresses in full (`@router.post("/origins/imports")`): a room may hold several nouns.
ROOMS = (
    "accounts",
    "accounts.places",
    "accounts.agencies",
    "accounts.people",
    "accounts.handouts",
    "accounts.contacts",
    "accounts.rollout",
    "notices",
    "catalogue",
    # Before its room, whose /operators/{code} would take /operators/imports.
    "registry.intake",
    "registry",
    "registry.bases",
    "registry.certifications",
    "registry.declaring",
    "registry.claiming",
    "registry.directory",
    "registry.people",
    "origins",
    "tracing",
    "certificates",
)

REFERENCE = "#/components/schemas/{model}"
DESCRIPTION = """
农码开放接口：产地溯源信息、主体、批次、承诺达标合格证。

- **登录**：`POST /api/v1/token` 换令牌，之后每个请求带 `Authorization: Bearer <令牌>`。
- **出错**：状态码 400 及以上的回答都是 RFC 9457 问题文档（`application/problem+json`），
  `code` 是稳定的代码，`detail` 和 `errors[].message` 是给人看的中文。
- **列表**：`page` 从 1 起，`page_size` 最多 200，回答 `{items, total, page, page_size}`。
- **重复提交**：新建、上传、导入可带 `Idempotency-Key`；同一个键和同样的内容再次提交，得到第一次的回答，
  24 小时内有效。
- **范围**：机构人员只看得到自己辖区内的记录，主体人员只看得到自己主体的记录；范围外的一律是 404。
- 日期写作 `2026-03-01`，时间带时区，数量是十进制文本，编码是 20 位数字。
"""


class StrictParser(Parser):
    """JSON without what a database can't hold: NUL in texts, NaN and infinity."""

    def parse_body(self, request: HttpRequest) -> Any:
        if b"\\u0000" in request.body or b"\x00" in request.body:
            raise ValueError("NUL in a text")
        return json.loads(request.body, parse_constant=_no_constant)

    def parse_querydict(self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest) -> Any:
        result = super().parse_querydict(data, list_fields, request)
        return {name: _without_null(value) for name, value in result.items()}


class Renderer(JSONRenderer):
    """JSON that a person can read in a terminal: Chinese as it is written."""

    json_dumps_params = {"ensure_ascii": False}


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _without_null(value: Any) -> Any:
    """A form's text without NUL, which browsers don't send and PostgreSQL refuses."""
    if isinstance(value, str):
        return value.replace("\x00", "")
    return [_without_null(item) for item in value] if isinstance(value, list) else value


class NongmaAPI(NinjaAPI):
    """Ninja's API, with what all operations have in common written into its OpenAPI document, which is made once."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._documents: dict[str, OpenAPISchema] = {}

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        prefix = path_prefix or self.get_root_path(path_params or {})
        if prefix not in self._documents:
            self._documents[prefix] = self._document(prefix)
        return self._documents[prefix]

    def _document(self, prefix: str) -> OpenAPISchema:
        schema = Document(self, prefix)
        document = problems.Problem.model_json_schema(ref_template=REFERENCE)
        schema["components"]["schemas"] |= {**document.pop("$defs"), "Problem": document}
        for methods in schema["paths"].values():
            for entry in methods.values():
                for status in _problem_statuses(entry):
                    entry["responses"][status] = _problem_response(status)
        return schema


class Document(OpenAPISchema):
    """An OpenAPI document in which two rooms may each have a schema of one name, as `State`: the later one gets the
    name of its room before it."""

    def operation_details(self, operation: Operation) -> dict[str, Any]:
        known, self.schemas = self.schemas, {}
        details: dict[str, Any] = super().operation_details(operation)
        own, self.schemas = self.schemas, known
        room = operation.view_func.__module__.split(".")[1].capitalize()
        names: dict[str, str] = {}
        tries: Counter[str] = Counter()
        while clashing := [name for name in own if not self._agrees(names.get(name, name), own[name], names)]:
            for name in clashing:
                tries[name] += 1
                names[name] = f"{room}{name}{tries[name] if tries[name] > 1 else ''}"
        self.schemas.update({names.get(name, name): _renamed(schema, names) for name, schema in own.items()})
        return cast(dict[str, Any], _renamed(details, names))

    def _agrees(self, name: str, schema: Any, names: dict[str, str]) -> bool:
        """Whether a name is free, or already stands for the same schema."""
        return name not in self.schemas or self.schemas[name] == _renamed(schema, names)


def _renamed(part: Any, names: dict[str, str]) -> Any:
    """A part of the document with its references to renamed schemas."""
    if isinstance(part, dict):
        return {
            key: REFERENCE.format(model=names.get(value.rsplit("/", 1)[-1], value.rsplit("/", 1)[-1]))
            if key == "$ref" and isinstance(value, str)
            else _renamed(value, names)
            for key, value in part.items()
        }
    return [_renamed(item, names) for item in part] if isinstance(part, list) else part


def _problem_statuses(entry: dict[str, Any]) -> list[int]:
    """The statuses of 400 and above that an operation may answer with: those it declares and those all share."""
    statuses = {400, 409, 422, *(status for status in entry["responses"] if status >= 400)}
    if "security" in entry:
        statuses |= {401, 403}
    if any(parameter["in"] == "path" for parameter in entry["parameters"]):
        statuses |= {404}
    if "requestBody" in entry:
        statuses |= {413, 415}
    return sorted(statuses)


def _problem_response(status: int) -> dict[str, Any]:
    reference = {"$ref": REFERENCE.format(model="Problem")}
    return {"description": problems.TITLES[status], "content": {problems.CONTENT_TYPE: {"schema": reference}}}


def assemble() -> NongmaAPI:
    """The API of all rooms."""
    result = NongmaAPI(
        title="农码开放接口",
        version="1",
        description=DESCRIPTION,
        auth=authenticated,
        docs=Swagger({"persistAuthorization": True, "docExpansion": "none", "validatorUrl": None}),
        parser=StrictParser(),
        renderer=Renderer(),
        openapi_extra={"info": {"license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}}},
    )
    problems.register(result)
    for room in ROOMS:
        result.add_router("", import_module(f"nongma.{room}.api").router)
    return result


api = assemble()
