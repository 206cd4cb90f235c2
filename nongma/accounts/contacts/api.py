from datetime import datetime
from typing import Annotated, Any, cast

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import requires_api
from nongma.accounts.contacts.queries import Row, Wanted, keepers, rows_of
from nongma.accounts.models import ContactState
from nongma.accounts.places.api import Code, span_wanted
from nongma.lib.paging import Page, Paging, paged

router = Router(tags=["工作联系方式"])


class ContactOut(Schema):
    """An agency's line of 附件2 as it was reported last, personal data masked (工作联系方式)."""

    region: str = Field(description="12 位区划代码")
    level: int = Field(description="1 省，2 市，3 县，4 乡镇")
    unit: str = Field(description="牵头单位名称")
    status: ContactState = Field(
        description="missing 未填写，incomplete 不完整，draft 待上报，reported 已上报，changed 改后未报"
    )
    reported_at: datetime | None
    lead_name: str
    lead_title: str
    lead_landline: str = Field(description="只留区号和后四位，本机构的是全的")
    lead_mobile: str = Field(description="遮住中间四位")
    person_name: str
    person_landline: str = Field(description="只留区号和后四位，本机构的是全的")
    person_mobile: str = Field(description="遮住中间四位")
    person_email: str = Field(description="只留第一个字符和域名")
    note: str


class ContactFilters(Schema):
    region: Code | None = None
    level: Annotated[int | None, Field(ge=1, le=4, description="1 省，2 市，3 县，4 乡镇")] = None
    status: ContactState | None = None


@router.get("/contacts", response=Page[ContactOut], summary="工作联系方式（附件 2）")
@requires_api(Action.VIEW_ACCOUNTS)
def list_contacts(request: HttpRequest, filters: Query[ContactFilters], paging: Query[Paging]) -> dict[str, Any]:
    """辖区内各级监管机构最近上报的联系方式；没有上报过的，联系栏是空的。"""
    span = span_wanted(filters.region)
    wanted = Wanted(region=span, level=str(filters.level or ""), state=filters.status or "")
    user = cast(SignedInRequest, request).user
    page = paged(wanted.apply(keepers(user)).order_by("region_id", "id"), paging)
    own = {agency.pk for agency in user.administers}
    return page | {"items": [_shown(row, is_own=row.agency.pk in own) for row in rows_of(list(page["items"]))]}


def _shown(row: Row, *, is_own: bool) -> dict[str, Any]:
    entry = row.entry
    lead_landline = person_landline = ""
    if entry:
        lead_landline = entry.lead_landline if is_own else entry.masked_lead_landline
        person_landline = entry.person_landline if is_own else entry.masked_person_landline
    return {
        "region": f"{row.agency.region_id:012}",
        "level": row.agency.level,
        "unit": entry.unit if entry else row.agency.name,
        "status": row.agency.contact_state,
        "reported_at": row.contact.reported_at if row.contact else None,
        "lead_name": entry.lead_name if entry else "",
        "lead_title": entry.lead_title if entry else "",
        "lead_landline": lead_landline,
        "lead_mobile": entry.masked_lead_mobile if entry else "",
        "person_name": entry.person_name if entry else "",
        "person_landline": person_landline,
        "person_mobile": entry.masked_person_mobile if entry else "",
        "person_email": entry.masked_email if entry else "",
        "note": entry.note if entry else "",
    }
