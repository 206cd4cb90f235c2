"""What the room of accounts decides is told to whom it concerns: the task goes with the deed."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from nongma.accounts.models import Handout, Role, User
from nongma.accounts.services import appoint, dismiss, hand_over, restore_user, suspend_user
from nongma.accounts.services.passwords import change_password
from nongma.accounts.services.telling import TASK, tell_handed_out
from nongma.accounts.third_parties.services import authorise, register_third_party, revoke
from nongma.lib.refused import Refused
from nongma.notices.models import Notice
from nongma.notices.tasks import tell_of_account
from nongma.testing import YAZHOU, YAZHOU_VILLAGE, make_official, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def county() -> User:
    return make_official("county", "县管理员", Role.ADMINISTRATOR, YAZHOU)


@pytest.fixture
def collector(county: User) -> User:
    """Somebody at the county's own agency."""
    return make_official("collector", "钱采集", Role.COLLECTOR, YAZHOU)


def told(user: User) -> list[tuple[str, str]]:
    """What the person reads once the worker has done what waits."""
    Notice.objects.all().delete()
    for job in ProcrastinateJob.objects.filter(task_name=TASK, status="todo").order_by("id"):
        assert set(job.args) == {"decision", "key"}
        tell_of_account(**job.args)
    return list(Notice.objects.visible_to(user).order_by("id").values_list("title", "body"))


def test_posts_are_told(county: User, collector: User) -> None:
    post = appoint(user=collector, agency=county.agency, role=Role.ANALYST, actor=county)
    dismiss(membership=post, actor=county)
    name, label = county.agency.name, Role.ANALYST.label
    assert told(collector) == [(f"您现在是{label}", name), (f"您不再是{label}", name)]
    assert not told(county)


def test_a_refused_appointment_tells_nobody(county: User, collector: User) -> None:
    with pytest.raises(Refused):
        appoint(user=collector, agency=county.agency, role=Role.COLLECTOR, actor=county)
    assert not told(collector)


def test_a_hand_over_tells_the_successor(county: User, collector: User) -> None:
    newcomer = make_official("newcomer", "孙新任", Role.ANALYST, YAZHOU)
    hand_over(membership=collector.memberships.get(role=Role.COLLECTOR), to=newcomer, actor=county)
    assert told(newcomer)[-1] == (f"您现在是{Role.COLLECTOR.label}", county.agency.name)


def test_a_restored_account_and_a_password_reset_are_told(county: User, collector: User) -> None:
    suspend_user(user=collector, reason="核对", actor=county)
    assert not told(collector)
    restore_user(user=collector, actor=county)
    change_password(user=collector, new="Kai-xin-shi-guang-77", actor=county)
    assert [title for title, _ in told(collector)] == ["您的账号已恢复使用", "您的密码由管理员重置过"]


def test_ones_own_password_is_no_news(collector: User) -> None:
    collector.set_password("Lao-mi-ma-2026-ok")
    collector.save()
    change_password(user=collector, old="Lao-mi-ma-2026-ok", new="Kai-xin-shi-guang-77", actor=collector)
    assert not told(collector)


@pytest.mark.parametrize(
    ("status", "notice"),
    [
        ("done", ("账号分配完成：新账号 12 个，有误 3 行", "x.xlsx")),
        ("failed", ("账号分配没有完成", "表格打不开")),
    ],
)
def test_the_end_of_a_hand_out_is_told(county: User, status: str, notice: tuple[str, str]) -> None:
    handout = Handout.objects.create(
        user=county, filename="x.xlsx", digest=b"d", status=status, created=12, rejected=3, message="表格打不开"
    )
    tell_handed_out(handout=handout)
    assert told(county) == [notice]
    assert Notice.objects.get().url == handout.get_absolute_url()


def test_a_firms_people_are_told_of_an_authorisation_and_of_its_end(county: User, collector: User) -> None:
    firm = register_third_party(
        agency=county.administers[0],
        name="崖州采集公司",
        number="91350100M000100Y43",
        contact="钱",
        phone="13900000009",
        actor=county,
    )
    people = [make_user(f"tp{number}", "吴采集", agency=county.agency, third_party=firm) for number in range(2)]
    today = timezone.localdate()
    made = authorise(
        firm=firm,
        towns=[YAZHOU_VILLAGE],
        from_on=today,
        to_on=today,
        agreed_on=today,
        agreement=SimpleUploadedFile("协议.pdf", b"%PDF-1.7 %%EOF"),
        actor=county,
    )
    with pytest.raises(Refused):
        revoke(authorisation=made, reason="", actor=county)
    revoke(authorisation=made, reason="不做了", actor=county)
    for one in people:
        assert told(one) == [
            ("您可以采集产地信息了", f"{county.agency.name}授权，{today} 至 {today}"),
            ("采集授权已撤销", f"{county.agency.name}撤销，原因：不做了"),
        ]
    assert not told(collector)
