from datetime import date, datetime
from typing import Any
from uuid import UUID

from ninja import Query, Router, Schema
from pydantic import Field

from nongma.accounts.access import Action, SignedInRequest
from nongma.accounts.api import idempotent, requires_api
from nongma.lib.paging import Page, Paging, paged
from nongma.registry.claiming.queries import DUE, claim_of, waiting_claims
from nongma.registry.claiming.services import decide_claim
from nongma.registry.models import Claim
from nongma.registry.queries import operator_of
from nongma.registry.services import Decision

router = Router(tags=["主体"])


class ClaimOut(Schema):
    """A person's claim that an imported operator is theirs."""

    uid: UUID
    operator: str = Field(description="导入的主体的主体码")
    fresh: str | None = Field(description="新登记的主体的主体码；用手机号认领的没有")
    met_by: Claim.MetBy
    state: Claim.State
    asked_at: datetime
    due_on: date | None = Field(description="核实期限")
    note: str

    @staticmethod
    def resolve_operator(claim: Claim) -> str:
        return claim.operator.code

    @staticmethod
    def resolve_fresh(claim: Claim) -> str | None:
        return claim.fresh.code if claim.fresh else None


class VerdictIn(Schema):
    """How it was checked, or why it is another."""

    reason: str = Field(min_length=1, max_length=200)


@router.get("/claims", response=Page[ClaimOut], summary="等核实的认领")
@requires_api(Action.REVIEW_OPERATORS)
def list_claims(request: SignedInRequest, paging: Query[Paging]) -> dict[str, Any]:
    """先到期的在前。"""
    return paged(waiting_claims(request.user).select_related("operator", "fresh").order_by(*DUE), paging)


@router.post("/operators/{code}/claims/{uid}/approve", response=ClaimOut, summary="认领核实：是同一个")
@requires_api(Action.REVIEW_OPERATORS)
@idempotent
def approve_claim(request: SignedInRequest, code: str, uid: UUID, data: VerdictIn) -> Claim:
    """新登记的并入导入的，认领人成为负责人。已经核实过的回答 409 `already_decided`。"""
    return _decide(request, code, uid, Decision.APPROVE, data.reason)


@router.post("/operators/{code}/claims/{uid}/return", response=ClaimOut, summary="认领核实：不是同一个")
@requires_api(Action.REVIEW_OPERATORS)
@idempotent
def return_claim(request: SignedInRequest, code: str, uid: UUID, data: VerdictIn) -> Claim:
    """认领人收到原因，新登记照常审核。"""
    return _decide(request, code, uid, Decision.RETURN, data.reason)


def _decide(request: SignedInRequest, code: str, uid: UUID, decision: Decision, reason: str) -> Claim:
    claim = claim_of(operator_of(code, request.user), uid, request.user)
    return decide_claim(claim=claim, decision=decision, actor=request.user, reason=reason)
