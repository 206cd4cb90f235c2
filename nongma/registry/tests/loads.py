"""Sheets of operators, and how far a test takes them."""

from typing import Any

from django.core.files.base import ContentFile

from bench.intake import id_of, uscc_of
from nongma.accounts.models import User
from nongma.registry.intake.services import confirm_intake, run_intake, submit_intake
from nongma.registry.models import Intake

USCC, ID = uscc_of(460205, 7), id_of(460205, 7)
FARM = {
    "kinds": "家庭农场、收购单位", "name": "春晖家庭农场", "uscc": USCC, "contact": "孙军华", "phone": "19900002449",
    "village": "{village}", "address": "中和路 8 号", "industries": "种植业", "products": "豇豆、韭菜", "scale": 12.5,
    "unit": "亩", "longitude": "109.158151", "latitude": "18.435040", "remark": "县里走访过",
}  # fmt: skip
HOUSE = {"kinds": "农户", "name": "李明", "id_number": ID, "contact": "李明", "phone": "19900002450"}


def submit(content: bytes, actor: User, **options: Any) -> Intake:
    return submit_intake(file=ContentFile(content, "主体.xlsx"), filename="主体.xlsx", actor=actor, **options)


def checked(content: bytes, actor: User) -> Intake:
    intake = submit(content, actor)
    run_intake(intake.uid)
    intake.refresh_from_db()
    return intake


def loaded(content: bytes, actor: User, *, approves: bool = False) -> Intake:
    intake = checked(content, actor)
    confirm_intake(intake=intake, approves=approves, actor=actor)
    run_intake(intake.uid)
    intake.refresh_from_db()
    return intake


def counts(intake: Intake) -> tuple[str, int, int, int, int, int]:
    return intake.status, intake.made, intake.unchanged, intake.differing, intake.doubled, intake.faulty


def told(intake: Intake) -> list[tuple[int, str, str]]:
    rows = intake.rows.order_by("row").values_list("row", "faults")
    return [(row, fault["field"], fault["code"]) for row, faults in rows for fault in faults]
