"""Telling who uploaded a sheet of operators how far it is: they may be elsewhere by then (提醒)."""

from nongma.notices.models import Notice
from nongma.notices.services import notify
from nongma.registry.models import Intake


def tell_checked(intake: Intake) -> None:
    """The sheet was checked and waits to be confirmed."""
    _tell(intake, f"主体表格核对好了：可新登记 {intake.made} 个，请确认", intake.filename)


def tell_loaded(intake: Intake) -> None:
    """What a load brought, or why it failed."""
    if intake.status == Intake.Status.FAILED:
        _tell(intake, "主体批量登记没有完成", f"{intake.filename}：{intake.message}")
    else:
        _tell(intake, f"主体批量登记完成：新登记 {intake.made} 个，有误 {intake.faulty} 行", intake.filename)


def tell_undone(intake: Intake) -> None:
    """A load was taken back."""
    _tell(intake, f"主体批量登记已撤回 {intake.undone} 个", intake.filename)


def tell_undo_failed(intake: Intake) -> None:
    """Why a load could not be taken back whole."""
    _tell(intake, "批量登记没有撤回完", f"{intake.filename}：{intake.message}")


def _tell(intake: Intake, title: str, body: str) -> None:
    notify(
        users={intake.user_id, *filter(None, [intake.confirmed_by_id])},
        kind=Notice.Kind.DECISION,
        title=title,
        body=body[:400],
        url=intake.get_absolute_url(),
    )
