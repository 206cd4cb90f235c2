from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.models import Attendance, Figures, Role, Target, Training, User
from nongma.accounts.rollout.people import find_people, match_list
from nongma.accounts.rollout.services import add_attendees, record_training, remove_attendee, set_target
from nongma.audit.models import Entry
from nongma.lib.refused import Refused
from nongma.testing import LIANDU, YAZHOU, YAZHOU_VILLAGE, client_of, make_official

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


@pytest.fixture
def county() -> User:
    """The administrator of 崖州区."""
    return make_official("county", "县管理员", Role.ADMINISTRATOR, YAZHOU)


@pytest.fixture
def training(county: User) -> Training:
    return record_training(
        agency=county.administers[0],
        title="操作培训",
        held_on=date(2026, 5, 6),
        mode=Training.Mode.ON_SITE,
        actor=county,
    )


def trained() -> int:
    return Figures.objects.get(pk=YAZHOU).people_trained


@pytest.mark.parametrize(
    ("title", "held_on", "code"),
    [
        (" ", date(2026, 5, 6), "title_missing"),
        ("甲", TODAY() + timedelta(days=1), "held_in_future"),
        ("甲", date(2017, 12, 31), "held_early"),
    ],
)
def test_it_refuses_a_training_that_cannot_be(county: User, title: str, held_on: date, code: str) -> None:
    with pytest.raises(Refused) as refusal:
        record_training(
            agency=county.administers[0], title=title, held_on=held_on, mode=Training.Mode.REMOTE, actor=county
        )
    assert refusal.value.code == code
    assert not Training.objects.exists()


def test_it_counts_whoever_took_part(training: Training, county: User, wang: User, zhao: User) -> None:
    assert add_attendees(training=training, people=[wang, zhao], actor=county) == 2
    assert add_attendees(training=training, people=[wang], actor=county) == 0
    wang.refresh_from_db()
    assert wang.trained_on == date(2026, 5, 6)
    assert trained() == 2
    remove_attendee(training=training, user=wang, actor=county)
    wang.refresh_from_db()
    assert (wang.trained_on, trained()) == (None, 1)


def test_it_keeps_the_last_of_several_trainings(training: Training, county: User, wang: User) -> None:
    later = record_training(
        agency=training.agency, title="复训", held_on=date(2026, 6, 6), mode=Training.Mode.REMOTE, actor=county
    )
    add_attendees(training=later, people=[wang], actor=county)
    add_attendees(training=training, people=[wang], actor=county)
    wang.refresh_from_db()
    assert wang.trained_on == date(2026, 6, 6)
    remove_attendee(training=later, user=wang, actor=county)
    wang.refresh_from_db()
    assert wang.trained_on == date(2026, 5, 6)


def test_it_takes_nobody_from_elsewhere(training: Training, county: User, sun: User, hainan: User) -> None:
    for stranger in (sun, hainan):
        with pytest.raises(Refused) as refusal:
            add_attendees(training=training, people=[stranger], actor=county)
        assert refusal.value.code == "people_outside"
    with pytest.raises(Refused) as refusal:
        add_attendees(training=training, people=[], actor=county)
    assert refusal.value.code == "people_missing"
    assert not Attendance.objects.exists()


def test_it_lets_nobody_else_change_the_list(training: Training, hainan: User, wang: User) -> None:
    with pytest.raises(Refused) as refusal:
        add_attendees(training=training, people=[wang], actor=hainan)
    assert refusal.value.code == "outside_area"
    assert not Attendance.objects.exists()


def test_it_reads_a_pasted_list(county: User, wang: User, sun: User) -> None:
    make_official("wang2", "王采集", Role.COLLECTOR, YAZHOU_VILLAGE)
    make_official("chen3", "陈三", Role.COLLECTOR, YAZHOU_VILLAGE)
    matched = match_list(county, "wang，王采集\n陈三;孙审核  sun、nobody")
    assert [user.username for user in matched.people] == ["wang", "chen3"]
    assert matched.ambiguous == ["王采集"]
    assert matched.missing == ["孙审核", "sun", "nobody"]
    assert [user.username for user in find_people(county, "陈三")] == ["chen3"]


def test_it_works_on_the_pages(county: User, wang: User, zhao: User) -> None:
    client = client_of(county)
    assert "还没有登记培训" in client.get(reverse("accounts:trainings")).content.decode()
    given = {"title": "操作培训", "held_on": "2026-05-06", "mode": "remote"}
    page = client.post(reverse("accounts:new-training"), given, follow=True)
    training = Training.objects.get()
    assert "操作培训" in page.content.decode()
    where = reverse("accounts:training", args=[training.uid])
    assert "王采集" in client.get(where, {"q": "王采"}).content.decode()
    attend = reverse("accounts:attend-training", args=[training.uid])
    assert "登记了 1 人" in client.post(attend, {"people": [wang.uid, "x"]}, follow=True).content.decode()
    told = client.post(attend, {"names": "zhao 张无"}, follow=True).content.decode()
    assert "登记了 1 人" in told
    assert "没有找到这些人" in told
    client.post(reverse("accounts:leave-out", args=[training.uid, zhao.uid]))
    assert [one.user for one in Attendance.objects.all()] == [wang]
    other = client_of(make_official("liandu", "莲都管理员", Role.ADMINISTRATOR, LIANDU))
    assert other.get(where).status_code == 404
    assert other.post(attend, {"people": [wang.uid]}).status_code == 404


def test_it_sets_dates_that_are_to_come(county: User) -> None:
    agency, soon = county.administers[0], TODAY() + timedelta(days=10)
    set_target(agency=agency, accounts_due_on=soon, training_due_on=soon, actor=county)
    with pytest.raises(Refused) as refusal:
        set_target(agency=agency, accounts_due_on=TODAY() - timedelta(days=1), training_due_on=soon, actor=county)
    assert refusal.value.code == "due_past"
    assert Target.objects.get().accounts_due_on == soon
    assert Entry.objects.filter(action="rollout.target_set").count() == 1


def test_it_lets_a_supervising_administrator_alone_set_dates(county: User, hainan: User, qian: User) -> None:
    soon = TODAY() + timedelta(days=10)
    with pytest.raises(Refused) as refusal:
        set_target(agency=county.administers[0], accounts_due_on=soon, training_due_on=soon, actor=hainan)
    assert refusal.value.code == "outside_area"
    assert not Target.objects.exists()


def test_it_recounts_everything_by_command(county: User, wang: User, capsys: pytest.CaptureFixture[str]) -> None:
    Figures.objects.update(people=99)
    call_command("recount_rollout")
    assert Figures.objects.get(pk=YAZHOU).people == 2
    assert "统计了" in capsys.readouterr().out
