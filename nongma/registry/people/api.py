from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import idempotent, requires_api
from nongma.accounts.proof import is_proved
from nongma.lib.paging import Page, Paging, paged
from nongma.lib.problems import problem
from nongma.registry.models import Invitation, OperatorMember
from nongma.registry.people.queries import invitation_of, member_of
from nongma.registry.people.services import invite_person, withdraw_invitation
from nongma.registry.queries import editable_of, operator_of
from nongma.registry.services import end_membership, hand_ownership_on

router = Router(tags=["主体"])


class MemberOut(Schema):
    """A person of an operator, of now or earlier."""

    uid: UUID
    name: str
    phone: str = Field(description="隐去中间四位")
    role: OperatorMember.Role
    from_at: datetime
    to_at: datetime | None = Field(description="空着的，现在还能办事")

    @staticmethod
    def resolve_name(member: OperatorMember) -> str:
        return member.user.name

    @staticmethod
    def resolve_phone(member: OperatorMember) -> str:
        return member.user.masked_phone


class InvitationIn(Schema):
    """Who is asked to act for the operator."""

    name: str = Field(min_length=1, max_length=60)
    phone: str = Field(min_length=1, max_length=20, description="手机号，他用它登录")
    is_owner: bool = Field(False, description="请他当负责人；只有管理部门可以")


class InvitationOut(Schema):
    """An invitation; whether the phone is on file is told to nobody."""

    uid: UUID
    name: str
    phone: str = Field(description="隐去中间四位")
    role: OperatorMember.Role
    state: Invitation.State
    invited_at: datetime
    expires_at: datetime

    @staticmethod
    def resolve_phone(invitation: Invitation) -> str:
        return invitation.masked_phone


class EndIn(Schema):
    """Why a person acts no more; kept where a claim is taken back by it."""

    reason: str = Field("", max_length=200)


@router.get("/operators/{code}/people", response=Page[MemberOut], summary="主体的人员")
@requires_api(Action.REGISTER_OPERATOR)
def list_members(request: SignedInRequest, code: str, paging: Query[Paging]) -> dict[str, Any]:
    """现在的和以前的，先来的在前。"""
    operator = editable_of(code, request.user)
    return paged(operator.members.select_related("user").order_by("id"), paging)


@router.get("/operators/{code}/invitations", response=Page[InvitationOut], summary="等本人同意的邀请")
@requires_api(Action.REGISTER_OPERATOR)
def list_invitations(request: SignedInRequest, code: str, paging: Query[Paging]) -> dict[str, Any]:
    """还没有答复、没有过期的。"""
    return paged(editable_of(code, request.user).invitations.waiting().order_by("id"), paging)


@router.post("/operators/{code}/invitations", response={201: InvitationOut}, summary="邀请人员")
@requires_api(Action.REGISTER_OPERATOR)
@idempotent
def create_invitation(request: SignedInRequest, code: str, data: InvitationIn) -> Status[Invitation]:
    """本人 7 天内登录、同意以后才能办事。手机号有没有登记过，回答都一样。"""
    operator = editable_of(code, request.user)
    role = OperatorMember.Role.OWNER if data.is_owner else OperatorMember.Role.STAFF
    return Status(
        201, invite_person(operator=operator, name=data.name, phone=data.phone, role=role, actor=request.user)
    )


@router.post("/operators/{code}/invitations/{uid}/withdraw", response=InvitationOut, summary="撤回邀请")
@requires_api(Action.REGISTER_OPERATOR)
@idempotent
def withdraw_one(request: SignedInRequest, code: str, uid: UUID) -> Invitation:
    """已经答复或过期的回答 409 `not_waiting`。"""
    operator = editable_of(code, request.user)
    return withdraw_invitation(invitation=invitation_of(operator, uid), actor=request.user)


@router.post("/operators/{code}/people/{uid}/end", response=MemberOut, summary="人员离开")
@requires_api(Action.REGISTER_OPERATOR)
@idempotent
def end_member(request: SignedInRequest, code: str, uid: UUID, data: EndIn) -> OperatorMember:
    """审核员让认领了、还没有审核的主体的负责人离开，认领同时收回，`reason` 写原因。"""
    member = member_of(operator_of(code, request.user), uid)
    end_membership(membership=member, actor=request.user, reason=data.reason)
    return member_of(member.operator, uid)


@router.post("/operators/{code}/people/{uid}/hand-on", response=MemberOut, summary="交接负责人")
@requires_api(Action.REGISTER_OPERATOR)
@idempotent
def hand_on_to(request: SignedInRequest, code: str, uid: UUID) -> OperatorMember | HttpResponse:
    """负责人交给一个员工，自己变成员工；要刚输过密码，否则回答 403 `password_needed`。回答是新的任职。"""
    if not is_proved(request):
        return problem(403, "password_needed", "这项操作要刚输过密码：请重新取令牌，或在网页上再输一次密码")
    member = member_of(editable_of(code, request.user), uid)
    return hand_ownership_on(membership=member, actor=request.user)
