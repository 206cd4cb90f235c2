from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Query, Router, Schema, Status
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.agencies.api import ReasonIn
from nongma.accounts.agencies.queries import agency_of
from nongma.accounts.api import idempotent, requires_api
from nongma.accounts.models import Membership, Role, User
from nongma.accounts.people.forms import State
from nongma.accounts.people.queries import COLUMNS, PersonFilter, person_of, post_of
from nongma.accounts.places.api import Code, span_wanted
from nongma.accounts.queries import posts_of
from nongma.accounts.services import (
    Leaver,
    appoint,
    deactivate_user,
    dismiss,
    hand_out,
    hand_over,
    restore_user,
    suspend_user,
)
from nongma.lib.pages import MOST_LISTED
from nongma.lib.paging import Page, Paging, paged
from nongma.lib.problems import Problem
from nongma.lib.refused import Misfilled

router = Router(tags=["机构和人员"])


HeldRole = Literal["administrator", "reviewer", "collector", "analyst", "laboratory", "officer", "brand"]
"""The roles that are held at agencies: every `Role` but that of an operator's person."""


class PersonIn(Schema):
    """An account to hand out, with the posts that come with it."""

    agency: UUID
    name: str = Field(min_length=1, max_length=60)
    username: str = Field(min_length=1, max_length=60, description="3 到 60 个字母、数字或 _ . @ -，以后不能改")
    roles: list[HeldRole] = Field(min_length=1, max_length=len(Role))
    phone: str = Field("", max_length=20, description="手机号")
    email: str = Field("", max_length=200)


class HandedOut(Schema):
    """The new account and its first password, which is told this once."""

    uid: UUID
    username: str
    first_password: str = Field(description="初始密码，只给这一次；本人第一次登录时要改")


class PersonRow(Schema):
    """A person as the list shows them; the phone masked (人员)."""

    uid: UUID
    username: str
    name: str
    phone: str = Field(alias="masked_phone", description="遮住中间四位")
    agency: UUID | None = Field(description="管理这个账号的机构；主体人员没有")
    agency_name: str
    is_operator: bool = Field(description="是不是主体人员")
    is_active: bool = Field(description="注销的为 false")
    suspended_at: datetime | None
    must_change_password: bool = Field(description="本人还没有改过初始密码")
    last_login: datetime | None
    created_at: datetime

    @staticmethod
    def resolve_agency(person: User) -> UUID | None:
        return person.agency.uid if person.agency else None

    @staticmethod
    def resolve_agency_name(person: User) -> str:
        return person.agency.name if person.agency else ""


class HeldPost(Schema):
    """A post and how long it is held (任职)."""

    uid: UUID
    agency: UUID
    agency_name: str
    role: Role
    from_on: date
    to_on: date | None = Field(description="离任日期，在任的为空")

    @staticmethod
    def resolve_agency(post: Membership) -> UUID:
        return post.agency.uid

    @staticmethod
    def resolve_agency_name(post: Membership) -> str:
        return post.agency.name


class PersonOut(PersonRow):
    """A person with the posts held today."""

    posts: list[HeldPost]

    @staticmethod
    def resolve_posts(person: User) -> list[Membership]:
        return list(posts_of(person))


class PostIn(Schema):
    """A post to give."""

    agency: UUID
    role: HeldRole


class HandOverIn(Schema):
    """Who takes a post over, and from when."""

    to: str = Field(min_length=1, max_length=60, description="接任人的用户名")
    on: date | None = Field(None, description="交接日期，不写是今天")
    leaver: Leaver = Field(Leaver.KEEP, description="前任的账号：keep 保留，suspend 停用，close 注销")


class PersonFilters(Schema):
    q: Annotated[str, Field(max_length=60, description="姓名的一部分，用户名的开头，或手机号的全部")] = ""
    region: Code | None = None
    role: HeldRole | None = None
    state: State | None = Field(
        None, description="unclaimed 等本人修改密码，suspended 已停用，third_party 第三方采集人员，closed 已注销"
    )


@router.get("/people", response=Page[PersonRow], summary="人员名单")
@requires_api(Action.VIEW_ACCOUNTS)
def list_people(request: SignedInRequest, filters: Query[PersonFilters], paging: Query[Paging]) -> dict[str, Any]:
    """自己管的人员，按所在地排列；不写 `state` 的不含已注销的。"""
    wanted = PersonFilter(
        q=filters.q,
        region=span_wanted(filters.region),
        role=filters.role or "",
        state=filters.state or "",
    )
    found = wanted.apply(User.objects.visible_to(request.user))
    ordered = found.order_by(*COLUMNS["place"]).select_related("agency")
    return paged(ordered, paging, most_counted=MOST_LISTED)


@router.post("/people", response={201: HandedOut, 404: Problem}, summary="分配账号")
@requires_api(Action.MANAGE_ACCOUNTS)
@idempotent
def hand_account_out(request: SignedInRequest, data: PersonIn) -> Status[dict[str, Any]]:
    """一个人、一个账号和随账号的职务。初始密码只在这个回答里。"""
    values = data.dict(exclude={"agency", "roles"})
    agency, roles = agency_of(data.agency, request.user), [Role(role) for role in data.roles]
    person, password = hand_out(agency=agency, roles=roles, actor=request.user, **values)
    return Status(201, {"uid": person.uid, "username": person.username, "first_password": password})


@router.get("/people/{uuid:uid}", response=PersonOut, summary="一个人员")
@requires_api(Action.VIEW_ACCOUNTS)
def get_person(request: SignedInRequest, uid: UUID) -> User:
    """账号状态和在任的职务；不归自己管的是 404。"""
    return person_of(uid, request.user)


@router.post("/people/{uuid:uid}/suspend", response=PersonOut, summary="停用账号")
@requires_api(Action.MANAGE_ACCOUNTS)
def suspend_account(request: SignedInRequest, uid: UUID, data: ReasonIn) -> User:
    """下一次操作起就不能用，任职保留。"""
    suspend_user(user=person_of(uid, request.user), reason=data.reason, actor=request.user)
    return person_of(uid, request.user)


@router.post("/people/{uuid:uid}/restore", response=PersonOut, summary="恢复账号")
@requires_api(Action.MANAGE_ACCOUNTS)
def restore_account(request: SignedInRequest, uid: UUID) -> User:
    """上级停用的，下级不能恢复。"""
    restore_user(user=person_of(uid, request.user), actor=request.user)
    return person_of(uid, request.user)


@router.post("/people/{uuid:uid}/close", response=PersonOut, summary="注销账号")
@requires_api(Action.MANAGE_ACCOUNTS)
def close_account(request: SignedInRequest, uid: UUID, data: ReasonIn) -> User:
    """任职结束，账号不再启用，记录保留。"""
    deactivate_user(user=person_of(uid, request.user), reason=data.reason, actor=request.user)
    return person_of(uid, request.user)


@router.post("/people/{uuid:uid}/posts", response={201: HeldPost}, summary="任命职务")
@requires_api(Action.MANAGE_ACCOUNTS)
@idempotent
def appoint_to_post(request: SignedInRequest, uid: UUID, data: PostIn) -> Status[Membership]:
    """已有账号的人到机构任职；一个机构只有一位平台管理员，换人用交接。"""
    person, agency = person_of(uid, request.user), agency_of(data.agency, request.user)
    return Status(201, appoint(user=person, agency=agency, role=Role(data.role), actor=request.user))


@router.post("/posts/{uuid:uid}/end", response=HeldPost, summary="离任")
@requires_api(Action.MANAGE_ACCOUNTS)
def end_held_post(request: SignedInRequest, uid: UUID) -> Membership:
    """结束一个职务，账号保留。"""
    return dismiss(membership=post_of(uid, request.user), actor=request.user)


@router.post("/posts/{uuid:uid}/hand-over", response={201: HeldPost}, summary="交接职务")
@requires_api(Action.MANAGE_ACCOUNTS)
@idempotent
def hand_held_post_over(request: SignedInRequest, uid: UUID, data: HandOverIn) -> Status[Membership]:
    """职务交给另一个有账号的人，历史跟着职务走；回答是接任人的任职。"""
    post = post_of(uid, request.user)
    successor = User.objects.visible_to(request.user).filter(username=data.to).first()
    if successor is None:
        raise Misfilled("person_unknown", "没有这个用户，或者他的账号不归您管理", field="to")
    return Status(201, hand_over(membership=post, to=successor, actor=request.user, on=data.on, leaver=data.leaver))
