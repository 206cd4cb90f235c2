"""What a third party's people may see and do: in the named townships while the authorisation runs, nothing else."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.access import Action, may, scope_of
from nongma.accounts.models import Agency, Authorisation, Role, ThirdParty, User
from nongma.accounts.third_parties.services import authorise, create_collector, register_third_party, revoke
from nongma.catalogue.models import Product
from nongma.lib.refused import Refused
from nongma.origins.models import ImportJob, Origin
from nongma.origins.services.imports import run_import, submit_import
from nongma.regions.models import Region
from nongma.registry.models import Base
from nongma.testing import (
    YAZHOU,
    YAZHOU_VILLAGE,
    api_of,
    client_of,
    make_base,
    make_official,
    make_operator,
    make_origin,
)

pytestmark = pytest.mark.django_db
FORM = Path("nongma/origins/tests/files/yazhou-cowpea-500.xlsx")
PDF = b"%PDF-1.7\ntrailer\n<<>>\n%%EOF\n"
OTHER_VILLAGE = 460205198005


def day(number: int) -> date:
    return timezone.localdate() + timedelta(days=number)


@pytest.fixture
def county() -> User:
    """The administrator of 崖州区."""
    return make_official("county", "郑县管", Role.ADMINISTRATOR, YAZHOU)


@pytest.fixture
def held(county: User) -> Authorisation:
    """A firm's authorisation for one village of 崖州区, where there are no townships."""
    firm = register_third_party(
        agency=county.administers[0],
        name="崖州采集公司",
        number="91350100M000100Y43",
        contact="钱",
        phone="19900001234",
        actor=county,
    )
    return authorise(
        firm=firm,
        towns=[YAZHOU_VILLAGE],
        from_on=day(0),
        to_on=day(10),
        agreed_on=day(0),
        agreement=ContentFile(PDF, "协议.pdf"),
        actor=county,
    )


@pytest.fixture
def collector(held: Authorisation, county: User) -> User:
    """One of the firm's people, who has chosen a password."""
    user, _ = create_collector(firm=held.third_party, username="tp1", name="吴采集", phone="", actor=county)
    User.objects.filter(pk=user.pk).update(must_change_password=False)
    return User.objects.get(pk=user.pk)


@pytest.fixture
def near(li_base: Base, cowpea: Product, wang: User) -> Origin:
    """A record in the village that is authorised."""
    return make_origin(li_base, cowpea, collected_by=wang)


@pytest.fixture
def far(cowpea: Product, wang: User) -> Origin:
    """A record in another village of the same county."""
    other = Region.objects.filter(level=Region.Level.VILLAGE, code__range=(YAZHOU, YAZHOU + 999_999)).exclude(
        pk=YAZHOU_VILLAGE
    )[0]
    operator = make_operator(region=other.code, name="邻村种植户")
    return make_origin(make_base(operator, region=other.code), cowpea, collected_by=wang)


def expired(held: Authorisation, county: User) -> None:
    Authorisation.objects.filter(pk=held.pk).update(from_on=day(-30), to_on=day(-1))


def not_begun(held: Authorisation, county: User) -> None:
    Authorisation.objects.filter(pk=held.pk).update(from_on=day(1))


def revoked(held: Authorisation, county: User) -> None:
    revoke(authorisation=held, reason="泄露信息", actor=county)


def suspended(held: Authorisation, county: User) -> None:
    Agency.objects.filter(pk=county.administers[0].pk).update(suspended_at=timezone.now())


Ending = Callable[[Authorisation, User], None]


def test_it_collects_in_the_named_place_and_nowhere_else(collector: User, near: Origin, far: Origin) -> None:
    client, program = client_of(collector), api_of(collector)
    page = client.get(reverse("origins:table")).content.decode()
    assert near.operator.name in page
    assert far.operator.name not in page
    assert client.get(reverse("origins:record", args=[near.uid])).status_code == 200
    assert client.get(reverse("origins:record", args=[far.uid])).status_code == 404
    assert [item["id"] for item in program.get("/api/v1/origins").json()["items"]] == [str(near.uid)]
    assert program.get(f"/api/v1/origins/{far.uid}").status_code == 404
    assert scope_of(collector, Action.COLLECT_ORIGINS).spans == ((YAZHOU_VILLAGE, YAZHOU_VILLAGE),)
    home = client.get("/").content.decode()
    assert "您为崖州区监管机构采集" in home
    for action in (Action.VIEW_ACCOUNTS, Action.MANAGE_ACCOUNTS, Action.REVIEW_ORIGINS, Action.EXPORT_ORIGINS):
        assert not may(collector, action)


def test_its_imports_keep_to_the_named_place(collector: User) -> None:
    job = submit_import(file=ContentFile(FORM.read_bytes(), "a.xlsx"), filename="a.xlsx", actor=collector)
    run_import(job.uid)
    assert set(Origin.objects.values_list("region_id", flat=True)) <= {YAZHOU_VILLAGE}
    job.refresh_from_db()
    assert job.rejected > 0


@pytest.mark.parametrize(
    ("end", "reason"),
    [(expired, "到期"), (not_begun, "才开始"), (revoked, "撤销")],
    ids=["expired", "early", "revoked"],
)
def test_it_sees_nothing_without_an_authorisation_that_runs(
    collector: User, held: Authorisation, county: User, near: Origin, end: Ending, reason: str
) -> None:
    client, program = client_of(collector), api_of(collector)
    assert client.get(reverse("origins:table")).status_code == 200
    end(held, county)
    for where in (
        reverse("origins:table"),
        reverse("origins:map"),
        reverse("origins:record", args=[near.uid]),
        reverse("origins:locate", args=[near.uid]),
        reverse("origins:imports"),
        reverse("registry:operators"),
        reverse("registry:operator", args=[near.operator.code]),
        "/tiles/origins/6/51/28.mvt",
    ):
        assert client.get(where).status_code == 403, where
    refused = client.get(reverse("registry:operators")).text
    assert "现在没有采集授权" in refused
    assert reason in refused
    for where in ("/api/v1/origins", f"/api/v1/origins/{near.uid}", "/api/v1/operators", "/api/v1/origins/imports"):
        answer = program.get(where)
        assert answer.status_code in {200, 403}, where
        assert answer.status_code == 403 or answer.json()["total"] == 0, where
    home = client.get("/").content.decode()
    assert reason in home
    assert "郑县管" in home
    assert near.operator.name not in home


@pytest.mark.parametrize("end", [expired, not_begun, revoked], ids=["expired", "early", "revoked"])
def test_it_imports_nothing_without_an_authorisation_that_runs(
    collector: User, held: Authorisation, county: User, end: Ending
) -> None:
    queued = submit_import(file=ContentFile(FORM.read_bytes(), "a.xlsx"), filename="a.xlsx", actor=collector)
    end(held, county)
    run_import(queued.uid)
    queued.refresh_from_db()
    assert (queued.accepted, queued.to_locate) == (0, 0)
    fresh = User.objects.get(pk=collector.pk)
    with pytest.raises(Refused) as refusal:
        submit_import(file=ContentFile(FORM.read_bytes(), "b.xlsx"), filename="b.xlsx", actor=fresh)
    assert refusal.value.code == "not_allowed"
    upload = SimpleUploadedFile("c.xlsx", FORM.read_bytes())
    assert client_of(fresh).post(reverse("origins:imports"), {"file": upload}).status_code == 403
    upload.seek(0)
    assert api_of(fresh).post("/api/v1/origins/imports", {"file": upload}).status_code == 403
    assert not Origin.objects.exists()
    assert ImportJob.objects.count() == 1


def test_a_suspended_county_ends_its_third_parties_too(collector: User, held: Authorisation, county: User) -> None:
    client = client_of(collector)
    assert client.get(reverse("origins:table")).status_code == 200
    suspended(held, county)
    assert ThirdParty.towns_on(held.third_party_id, day(0)) == []
    assert client.get(reverse("origins:table")).status_code in {302, 403}


def test_a_stranger_sees_no_third_party() -> None:
    assert Client().get(reverse("accounts:third-parties")).status_code == 302
