"""Operators loaded from a county's sheet: preview, confirm, result, taking back."""

import io
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.utils import timezone

from bench.intake import id_of, uscc_of
from nongma.accounts.models import User
from nongma.audit.models import Entry
from nongma.catalogue.models import Industry, Unit
from nongma.codes.models import CodeRange
from nongma.lib.refused import Refused
from nongma.lib.sheets.running import MOST_ATTEMPTS
from nongma.notices.models import Notice
from nongma.registry.directory.corrections.services import send_correction, withdraw_correction
from nongma.registry.intake import saving, undoing
from nongma.registry.intake.retention import forget_rows, remove_old_sheets
from nongma.registry.intake.services import (
    confirm_intake,
    drop_intake,
    errors_workbook,
    run_intake,
)
from nongma.registry.intake.sheet import LABELS
from nongma.registry.intake.template import template_for
from nongma.registry.intake.undoing import run_undo, undo_intake
from nongma.registry.intake.words import INDUSTRIES, KINDS, UNITS
from nongma.registry.models import Correction, Intake, IntakeOperator, Operator, OperatorKind, OperatorMember
from nongma.registry.services import add_member
from nongma.registry.tests.loads import FARM, HOUSE, ID, USCC, checked, counts, loaded, submit, told
from nongma.testing import LIANDU, YAZHOU, YAZHOU_VILLAGE, at_once, client_of, file_in, make_operator, make_user


def test_words_stand_for_codes_that_there_are() -> None:
    assert set(KINDS.values()) == set(OperatorKind.values)
    assert set(INDUSTRIES.values()) == set(Industry.values)
    assert set(UNITS.values()) <= set(Unit.values)


def test_it_shows_first_and_puts_on_file_what_is_confirmed(zhao: User, sheet: Any) -> None:
    intake = checked(sheet(FARM, HOUSE), zhao)
    assert counts(intake) == ("ready", 2, 0, 0, 0, 0), told(intake)
    assert not Operator.objects.exists()
    confirm_intake(intake=intake, approves=False, actor=zhao)
    run_intake(intake.uid)
    intake.refresh_from_db()
    assert counts(intake) == ("done", 2, 0, 0, 0, 0)
    farm = Operator.objects.get(uscc=USCC)
    assert (farm.kinds, farm.industries, farm.status) == (["family_farm", "purchaser"], ["planting"], "imported")
    assert (farm.phone, farm.address, farm.region_id) == ("19900002449", "中和路 8 号", YAZHOU_VILLAGE)
    assert (str(farm.longitude), farm.reviewed_by, farm.created_by) == ("109.158151", None, zhao)
    assert [(one.product.name, one.scale, one.unit) for one in farm.produce.all()] == [
        ("豇豆", 12.5, "mu"),
        ("韭菜", None, "mu"),
    ]
    assert CodeRange.objects.get(start=farm.serial).subject == farm.uid
    house = Operator.objects.get(name="李明")
    assert (house.id_number, house.phone) == (ID, "19900002450")
    assert [(entry.row, entry.remark) for entry in intake.entries.all()] == [(2, "县里走访过"), (3, "")]
    assert Entry.objects.filter(action="operator.loaded").count() == 2
    assert ID not in str(list(Entry.objects.values_list("details")))


def test_a_reviewer_may_vouch_for_them(zhao: User, sheet: Any) -> None:
    loaded(sheet(FARM), zhao, approves=True)
    farm = Operator.objects.get()
    assert (farm.status, farm.reviewed_by) == ("approved", zhao)
    assert farm.reviewed_at
    assert Entry.objects.get(action="operator.loaded").details["status"] == "approved"


def test_who_does_not_review_may_not_vouch(wang: User, sheet: Any) -> None:
    intake = checked(sheet(FARM), wang)
    with pytest.raises(Refused, match="只有审核员"):
        confirm_intake(intake=intake, approves=True, actor=wang)
    intake.refresh_from_db()
    assert intake.status == "ready"
    assert not Operator.objects.exists()


def test_every_kind_is_taken_by_its_own_name(zhao: User, sheet: Any) -> None:
    kinds = "、".join(OperatorKind.labels)
    loaded(sheet(FARM | {"kinds": kinds}), zhao)
    assert set(Operator.objects.get().kinds) == set(OperatorKind.values)


def test_columns_stand_in_any_order_under_other_names(zhao: User, sheet: Any) -> None:
    headings = {
        "phone": "联系电话", "village": "行政村", "town": "乡镇", "name": "主体名称", "kinds": "主体类别",
        "uscc": "信用代码",
    }  # fmt: skip
    assert counts(checked(sheet(FARM, headings=headings), zhao))[1] == 1


def test_every_fault_is_told_beside_its_cell(zhao: User, sheet: Any) -> None:
    intake = checked(
        sheet(
            FARM | {"uscc": USCC[:-1] + ("A" if USCC[-1] != "A" else "B")},
            HOUSE | {"id_number": ID[:-1] + ("1" if ID[-1] != "1" else "2")},
            HOUSE | {"phone": "123", "kinds": "神农"},
            HOUSE | {"village": "没有这个村"},
            HOUSE | {"id_number": "", "phone": ""},
            HOUSE | {"name": "示例：家庭农场"},
            FARM | {"longitude": "119.874341", "latitude": "28.203296"},
            FARM | {"products": "仙桃蟠果王"},
            FARM | {"unit": "头"},
            HOUSE | {"province": "浙江省", "city": "丽水市", "county": "莲都区", "town": "紫金街道", "village": ""},
            HOUSE | {"id_number": float(ID[:17])},
        ),
        zhao,
    )
    assert counts(intake) == ("ready", 0, 0, 0, 0, 11)
    assert told(intake) == [
        (2, "uscc", "bad-number"),
        (3, "id_number", "bad-number"),
        (4, "kinds", "not-a-choice"),
        (4, "phone", "not-a-mobile"),
        (5, "village", "unknown-division"),
        (6, "phone", "missing"),
        (7, "name", "example-row"),
        (8, "longitude", "outside-county"),
        (9, "products", "unknown-product"),
        (10, "unit", "unit-does-not-fit"),
        (11, "county", "outside-area"),
        (12, "id_number", "digits-lost"),
    ]
    kept = str(list(intake.rows.values_list("shown", "faults")))
    assert "19900002450" not in kept
    assert ID not in kept
    with pytest.raises(Refused, match="没有可以新登记"):
        confirm_intake(intake=intake, approves=False, actor=zhao)


def test_what_is_on_file_is_found_and_never_overwritten(zhao: User, sheet: Any) -> None:
    loaded(sheet(FARM, HOUSE), zhao, approves=True)
    before = list(Operator.objects.order_by("pk").values())
    again = loaded(
        sheet(
            FARM,
            FARM | {"uscc": uscc_of(460205, 8), "name": "新的农场", "phone": "19900002451"},
            HOUSE | {"phone": "19900009999", "contact": "王五"},
        ),
        zhao,
    )
    assert counts(again) == ("done", 1, 1, 1, 0, 0)
    assert told(again) == [(4, "contact", "differs"), (4, "phone", "differs")]
    assert "199****2450" in str(again.rows.get(row=4).faults)
    assert "19900002450" not in str(again.rows.get(row=4).faults)
    assert list(Operator.objects.order_by("pk").values())[:2] == before


def test_it_knows_operators_by_name_and_phone_of_the_county(zhao: User, sheet: Any) -> None:
    make_operator(region=YAZHOU_VILLAGE, name="李明", phone="19900002450", kinds=["household"], contact="李明")
    assert counts(checked(sheet(HOUSE | {"id_number": ""}), zhao)) == ("ready", 0, 1, 0, 0, 0)


def test_one_that_is_on_file_elsewhere_is_refused_without_telling_of_it(zhao: User, sheet: Any) -> None:
    make_operator(region=LIANDU, name="别处的农场", uscc=USCC)
    intake = checked(sheet(FARM), zhao)
    assert counts(intake) == ("ready", 0, 0, 0, 0, 1)
    assert "别处的农场" not in str(intake.rows.get().faults)


def test_numbers_of_two_operators_are_told(zhao: User, sheet: Any) -> None:
    make_operator(region=YAZHOU, name="甲", uscc=USCC)
    make_operator(region=YAZHOU_VILLAGE, name="春晖家庭农场", phone="19900002449")
    intake = checked(sheet(FARM), zhao)
    assert counts(intake) == ("ready", 0, 0, 1, 0, 0)
    assert told(intake) == [(2, "phone", "differs")]


def test_a_row_that_is_there_twice_counts_once(zhao: User, sheet: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nongma.registry.intake.services.CHUNK", 2)
    faulty = FARM | {"kinds": "神农"}
    intake = loaded(sheet(faulty, FARM, HOUSE, FARM | {"name": "换个名字"}, HOUSE), zhao)
    assert counts(intake) == ("done", 2, 0, 0, 2, 1)
    assert told(intake) == [(2, "kinds", "not-a-choice"), (5, "uscc", "doubled"), (6, "id_number", "doubled")]
    assert "第 3 行" in intake.rows.get(row=5).faults[0]["message"]


@pytest.mark.parametrize("rows", [10, 400])
def test_a_chunk_costs_the_same_statements_for_any_number_of_rows(zhao: User, sheet: Any, rows: int) -> None:
    content = sheet(*(HOUSE | {"id_number": id_of(460205, number), "name": f"李{number}"} for number in range(rows)))
    intake = checked(content, zhao)
    confirm_intake(intake=intake, approves=False, actor=zhao)
    statements = []

    def count(execute: Any, *arguments: Any) -> Any:
        statements.append(arguments[0])
        return execute(*arguments)

    with connection.execute_wrapper(count):
        run_intake(intake.uid)
    assert len(statements) < 60
    assert Operator.objects.count() == rows


def test_the_template_can_be_loaded_once_its_example_is_gone(zhao: User, village: tuple[str, str]) -> None:
    content = template_for(zhao)
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    paper = workbook.worksheets[0]
    columns = {cell.value.rstrip("*"): cell.column for cell in paper[1]}
    assert list(columns) == list(LABELS.values())
    for field, value in {**HOUSE, "town": village[0], "village": village[1]}.items():
        paper.cell(3, columns[LABELS[field]], value)
    file = io.BytesIO()
    workbook.save(file)
    intake = checked(file.getvalue(), zhao)
    assert counts(intake)[1] == 1
    assert told(intake)[0] == (2, "name", "example-row")


def test_it_is_marked_where_it_is_wrong_and_can_be_loaded_again(zhao: User, sheet: Any) -> None:
    intake = loaded(sheet(FARM, HOUSE | {"phone": "123"}, FARM), zhao)
    with errors_workbook(intake, "") as file:
        workbook = openpyxl.load_workbook(file)
    paper = workbook.worksheets[0]
    columns = {cell.value: cell.column for cell in paper[1]}
    marked = paper.cell(3, columns["手机"])
    assert marked.fill.fgColor.rgb.endswith("F8C9C4")
    assert "11 位" in marked.comment.text
    assert paper.cell(4, columns["统一社会信用代码"]).fill.fgColor.rgb.endswith("FCE6B8")
    marked.value = "19900002450"
    corrected = io.BytesIO()
    workbook.save(corrected)
    assert counts(loaded(corrected.getvalue(), zhao)) == ("done", 1, 1, 0, 1, 0)


def test_each_download_is_marked_with_who_takes_it_out_and_what_for(
    zhao: User, sheet: Any, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    intake = loaded(sheet(FARM, HOUSE | {"phone": "123"}), zhao)
    kept = sorted(tmp_path.rglob("*.*"))
    for purpose in ("改正手机号", "给镇里核对"):
        answer = client_of(zhao).post(f"{intake.get_absolute_url()}/errors.xlsx", {"reason": purpose})
        top = openpyxl.load_workbook(io.BytesIO(file_in(answer))).worksheets[0].oddHeader.left.text
        assert zhao.name in top
        assert f"导出，用途：{purpose}" in top
    assert sorted(tmp_path.rglob("*.*")) == kept


def test_the_same_file_is_recognised(zhao: User, sheet: Any) -> None:
    content = sheet(FARM)
    first = checked(content, zhao)
    with pytest.raises(Refused, match="正等您确认"):
        submit(content, zhao)
    assert Intake.objects.count() == 1
    confirm_intake(intake=first, approves=False, actor=zhao)
    run_intake(first.uid)
    second = checked(content, zhao)
    page = client_of(zhao).get(second.get_absolute_url()).content.decode()
    assert "同一个文件" in page
    assert first.get_absolute_url() in page


def test_a_sheet_is_confirmed_once(zhao: User, sheet: Any) -> None:
    intake = checked(sheet(FARM), zhao)
    drop_intake(intake=intake, actor=zhao)
    for act in (
        lambda: confirm_intake(intake=intake, approves=False, actor=zhao),
        lambda: drop_intake(intake=intake, actor=zhao),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.code == "not_ready"
    assert not Operator.objects.exists()


def test_who_lost_the_post_loads_nothing_more(zhao: User, sheet: Any) -> None:
    intake = checked(sheet(FARM), zhao)
    confirm_intake(intake=intake, approves=False, actor=zhao)
    zhao.memberships.update(to_on=timezone.localdate() - timedelta(days=1))
    run_intake(intake.uid)
    intake.refresh_from_db()
    assert (intake.status, intake.made) == ("failed", 0)
    assert "不能批量登记" in intake.message
    assert not Operator.objects.exists()


def test_the_same_operators_in_two_sheets_at_once_go_in_once(
    transactional_db: None, ministry: User, sheet: Any
) -> None:
    place = {"province": "海南省", "city": "三亚市", "county": "崖州区"}
    intakes = [submit(sheet(FARM | place, HOUSE | place | {"remark": mark}), ministry, at_once=True) for mark in "甲乙"]
    at_once(*(partial(run_intake, intake.uid) for intake in intakes))
    for intake in intakes:
        intake.refresh_from_db()
    assert [intake.status for intake in intakes] == ["done", "done"]
    assert sorted((intake.made, intake.unchanged) for intake in intakes) == [(0, 2), (2, 0)]
    assert Operator.objects.count() == CodeRange.objects.count() == IntakeOperator.objects.count() == 2


def test_a_claim_and_taking_back_at_once_never_close_a_claimed_one(
    transactional_db: None, ministry: User, sheet: Any
) -> None:
    place = {"province": "海南省", "city": "三亚市", "county": "崖州区"}
    intake = submit(sheet(HOUSE | place), ministry, at_once=True)
    run_intake(intake.uid)
    intake.refresh_from_db()
    undo_intake(intake=intake, reason="传错了", actor=ministry)
    operator, owner = Operator.objects.get(), make_user("owner", "李明", is_operator=True)

    def claim() -> None:
        add_member(operator=operator, user=owner, role=OperatorMember.Role.OWNER, actor=None)

    at_once(claim, lambda: run_undo(intake.uid, ministry))
    operator.refresh_from_db()
    assert (operator.status == "cancelled") == (not operator.members.exists())


def test_another_file_is_refused(zhao: User) -> None:
    intake = checked("甲,乙\n1,2\n".encode(), zhao)
    assert intake.status == "failed"
    assert "不是主体批量登记表" in intake.message


class TestTakingBack:
    def test_it_closes_what_nobody_has_claimed(self, zhao: User, sheet: Any) -> None:
        intake = loaded(sheet(FARM, HOUSE), zhao)
        undo_intake(intake=intake, reason="传错了表", actor=zhao)
        run_undo(intake.uid, zhao)
        intake.refresh_from_db()
        assert (intake.status, intake.undone) == ("undone", 2)
        assert set(Operator.objects.values_list("status", "stopped_for")) == {("cancelled", "批量登记撤回：传错了表")}
        assert Entry.objects.filter(action="operator.taken_back").count() == 2

    def test_a_new_load_opens_them_again_with_their_codes(self, zhao: User, sheet: Any) -> None:
        intake = loaded(sheet(FARM, HOUSE), zhao)
        codes = set(Operator.objects.values_list("serial", flat=True))
        undo_intake(intake=intake, reason="传错了表", actor=zhao)
        run_undo(intake.uid, zhao)
        again = loaded(sheet(FARM | {"contact": "孙小华", "products": "芹菜"}, HOUSE), zhao)
        assert counts(again) == ("done", 2, 0, 0, 0, 0), told(again)
        assert set(Operator.objects.values_list("serial", flat=True)) == codes
        farm = Operator.objects.get(uscc=USCC)
        assert (farm.status, farm.contact, farm.stopped_for) == ("imported", "孙小华", "")
        assert [one.product.name for one in farm.produce.all()] == ["芹菜"]
        assert counts(checked(sheet(HOUSE), zhao))[2] == 1

    def test_it_refuses_when_one_was_claimed(self, zhao: User, li: User, sheet: Any) -> None:
        intake = loaded(sheet(FARM, HOUSE), zhao)
        OperatorMember.objects.create(operator=Operator.objects.get(name="李明"), user=li, role="owner")
        with pytest.raises(Refused, match="1 个主体已被认领"):
            undo_intake(intake=intake, reason="传错了", actor=zhao)
        intake.refresh_from_db()
        assert intake.status == "done"
        assert set(Operator.objects.values_list("status", flat=True)) == {"imported"}

    def test_what_is_claimed_meanwhile_stays(self, zhao: User, li: User, sheet: Any) -> None:
        intake = loaded(sheet(FARM, HOUSE), zhao)
        undo_intake(intake=intake, reason="传错了", actor=zhao)
        OperatorMember.objects.create(operator=Operator.objects.get(name="李明"), user=li, role="owner")
        run_undo(intake.uid, zhao)
        intake.refresh_from_db()
        assert (intake.status, intake.undone) == ("undone", 1)
        assert Operator.objects.get(name="李明").status == "imported"

    def test_one_that_was_restored_meanwhile_stays_as_it_is(
        self, zhao: User, sheet: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        intake = loaded(sheet(FARM), zhao)
        undo_intake(intake=intake, reason="发错了表", actor=zhao)
        run_undo(intake.uid, zhao)
        compare = saving._compare

        def compare_and_restore(*args: Any) -> None:
            compare(*args)
            Operator.objects.update(status="approved", stopped_for="")

        again = checked(sheet(FARM | {"contact": "孙小华"}), zhao)
        confirm_intake(intake=again, approves=False, actor=zhao)
        monkeypatch.setattr(saving, "_compare", compare_and_restore)
        run_intake(again.uid)
        again.refresh_from_db()
        assert told(again) == [(2, "name", "opened-just-now")]
        assert Operator.objects.values_list("status", "contact").get() == ("approved", FARM["contact"])

    def test_it_ends_when_it_fails_again_and_again_and_may_be_asked_for_anew(
        self, zhao: User, sheet: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        intake = loaded(sheet(FARM, HOUSE), zhao)
        undo_intake(intake=intake, reason="传错了", actor=zhao)

        def fail(uids: list[Any]) -> None:
            raise RuntimeError("the database went away")

        with monkeypatch.context() as patched:
            patched.setattr(undoing, "subjects_changed", fail)
            for _ in range(MOST_ATTEMPTS - 1):
                with pytest.raises(RuntimeError, match="went away"):
                    run_undo(intake.uid, zhao)
            run_undo(intake.uid, zhao)
        intake.refresh_from_db()
        assert (intake.status, intake.undone) == ("failed", 0)
        assert "没有撤回完" in client_of(zhao).get(intake.get_absolute_url()).text
        assert Notice.objects.filter(user=zhao, title="批量登记没有撤回完").exists()
        assert set(Operator.objects.values_list("status", flat=True)) == {"imported"}
        assert Entry.objects.get(action="intake.undo_failed").details["undone"] == 0
        undo_intake(intake=intake, reason="传错了", actor=zhao)
        run_undo(intake.uid, zhao)
        intake.refresh_from_db()
        assert (intake.status, intake.undone) == ("undone", 2)

    def test_one_that_was_killed_too_often_ends(self, zhao: User, sheet: Any) -> None:
        intake = loaded(sheet(FARM), zhao)
        undo_intake(intake=intake, reason="传错了", actor=zhao)
        Intake.objects.update(attempts=MOST_ATTEMPTS)
        run_undo(intake.uid, zhao)
        intake.refresh_from_db()
        assert intake.status == "failed"
        assert intake.message == "没有撤回完：多次中断，已停止。已撤回 0 个，其余的没有动。"
        assert Operator.objects.get().status == "imported"

    @pytest.mark.parametrize("gone", ["post", "account", "area"])
    def test_who_may_no_longer_takes_nothing_back(self, zhao: User, sheet: Any, gone: str) -> None:
        intake = loaded(sheet(FARM), zhao)
        undo_intake(intake=intake, reason="传错了", actor=zhao)
        if gone == "post":
            zhao.memberships.update(to_on=timezone.localdate() - timedelta(days=1))
        elif gone == "account":
            User.objects.filter(pk=zhao.pk).update(is_active=False)
        else:
            Operator.objects.update(region_id=LIANDU)
        run_undo(intake.uid, zhao)
        intake.refresh_from_db()
        assert (intake.status, intake.undone) == ("failed", 0)
        assert "办理人" in intake.message
        assert Operator.objects.get().status == "imported"

    def test_a_settled_notice_does_not_hold_it_up(self, zhao: User, sheet: Any) -> None:
        intake = loaded(sheet(FARM), zhao)
        sent = send_correction(
            operator=Operator.objects.get(),
            matter=Correction.Matter.WRONG,
            fields=["address"],
            finding="门牌号不符",
            demand="改正",
            due_on=timezone.localdate() + timedelta(days=9),
            actor=zhao,
        )
        with pytest.raises(Refused, match="1 个主体"):
            undo_intake(intake=intake, reason="传错了", actor=zhao)
        withdraw_correction(correction=sent, reason="表传错了", actor=zhao)
        undo_intake(intake=intake, reason="传错了", actor=zhao)
        run_undo(intake.uid, zhao)
        assert Operator.objects.get().status == "cancelled"

    def test_it_refuses_after_some_days_and_without_a_reason(self, zhao: User, sheet: Any) -> None:
        intake = loaded(sheet(FARM), zhao)
        with pytest.raises(Refused, match="请写明"):
            undo_intake(intake=intake, reason=" ", actor=zhao)
        late = timezone.now() - timedelta(days=undoing.DAYS, minutes=1)
        Intake.objects.update(finished_at=late)
        with pytest.raises(Refused, match="超过"):
            undo_intake(intake=intake, reason="传错了", actor=zhao)
        assert Operator.objects.get().status == "imported"
        assert not IntakeOperator.objects.filter(undone_at__isnull=False).exists()


def test_rows_that_another_holds_wait_for_the_next_run(
    transactional_db: None, ministry: User, sheet: Any, settings: Any
) -> None:
    settings.KEEP_JOBS_DAYS = 0
    place = {"province": "海南省", "city": "三亚市", "county": "崖州区"}
    held, free = (
        checked(sheet(FARM | place, HOUSE | place | {"remark": mark, "phone": "1"}), ministry) for mark in "甲乙"
    )
    other = connection.copy()
    try:
        other.set_autocommit(False)
        other.cursor().execute("SELECT FROM registry_intakerow WHERE intake_id = %s AND row = 2 FOR UPDATE", [held.pk])
        assert forget_rows() == 3
        assert Intake.objects.get(pk=held.pk).rows_removed_at is None
        assert Intake.objects.get(pk=free.pk).rows_removed_at
    finally:
        other.close()
    assert forget_rows() == 1
    assert Intake.objects.get(pk=held.pk).rows_removed_at


def test_an_old_sheet_goes_and_what_it_brought_stays(zhao: User, sheet: Any, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    intake = loaded(sheet(FARM, HOUSE | {"phone": "123"}), zhao)
    assert remove_old_sheets() == 0
    settings.KEEP_UPLOADS_DAYS = 0
    assert remove_old_sheets() == 1
    intake.refresh_from_db()
    assert not intake.file
    assert "value" not in intake.rows.get(row=3).faults[0]
    assert Operator.objects.count() == 1
    with pytest.raises(Refused, match="保存期限"):
        errors_workbook(intake, "")
