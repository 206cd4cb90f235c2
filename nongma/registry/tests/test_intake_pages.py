"""Operators loaded from a county's sheet, by page and by program."""

from typing import Any

from django.core.files.base import ContentFile
from django.test import Client

from nongma.accounts.models import User
from nongma.registry.intake.services import run_intake
from nongma.registry.models import Intake, Operator
from nongma.registry.tests.loads import FARM, HOUSE, USCC, checked
from nongma.testing import api_of, client_of


class TestPages:
    def test_from_upload_to_result(self, zhao: User, sheet: Any) -> None:
        browser = client_of(zhao)
        assert "批量登记" in browser.get("/operators/").content.decode()
        answer = browser.post(
            "/operators/intake", {"file": ContentFile(sheet(FARM, HOUSE | {"phone": "1"}), "表.xlsx")}
        )
        intake = Intake.objects.get()
        assert answer["Location"] == intake.get_absolute_url()
        assert "排队" in browser.get(f"{intake.get_absolute_url()}/progress").content.decode()
        run_intake(intake.uid)
        done = browser.get(f"{intake.get_absolute_url()}/progress")
        assert done["HX-Refresh"] == "true"
        page = browser.get(intake.get_absolute_url()).content.decode()
        assert "确认登记 1 个主体" in page
        assert "要填 11 位手机号" in page
        assert USCC in browser.get(f"{intake.get_absolute_url()}?outcome=new").content.decode()
        browser.post(f"{intake.get_absolute_url()}/confirm", {"approves": "on"})
        run_intake(intake.uid)
        page = browser.get(intake.get_absolute_url()).content.decode()
        assert "看这次登记的 1 个主体" in page
        listed = browser.get(f"{intake.get_absolute_url()}/operators").content.decode()
        assert "春晖家庭农场" in listed
        assert Operator.objects.get().status == "approved"
        marked = browser.post(f"{intake.get_absolute_url()}/errors.xlsx", {"reason": "改正"})
        assert b"".join(marked.streaming_content).startswith(b"PK")
        refused = browser.post(f"{intake.get_absolute_url()}/undo", {"reason": ""})
        assert refused.status_code == 422
        browser.post(f"{intake.get_absolute_url()}/undo", {"reason": "传错了"})
        assert "撤回中" in browser.get(intake.get_absolute_url()).content.decode()

    def test_others_see_nothing_of_it(self, zhao: User, wang: User, li: User, sheet: Any) -> None:
        intake = checked(sheet(FARM), zhao)
        for person, status in ((wang, 404), (li, 403)):
            assert client_of(person).get(intake.get_absolute_url()).status_code == status
            assert client_of(person).post(f"{intake.get_absolute_url()}/confirm").status_code == status
        intake.refresh_from_db()
        assert intake.status == "ready"


class TestApi:
    URL = "/api/v1/operators/imports"

    def send(self, client: Client, content: bytes, **headers: str) -> Any:
        return client.post(self.URL, {"file": ContentFile(content, "表.xlsx")}, headers=headers)

    def test_it_loads_without_waiting(self, zhao: User, sheet: Any) -> None:
        api, content = api_of(zhao), sheet(FARM, HOUSE | {"phone": "1"})
        first = self.send(api, content, **{"Idempotency-Key": "k1"})
        assert first.status_code == 202, first.content
        assert self.send(api, content, **{"Idempotency-Key": "k1"}).json() == first.json()
        run_intake(first.json()["id"])
        found = api.get(f"{self.URL}/{first.json()['id']}").json()
        assert (found["status"], found["total"], found["accepted"], found["rejected"]) == ("done", 2, 1, 1)
        assert [(one["row"], one["field"]) for one in found["errors"]] == [(3, "phone")]
        assert Operator.objects.get().status == "imported"
        assert api.get(f"{self.URL}/{first.json()['id']}/errors.xlsx").status_code == 200

    def test_growers_may_not(self, li: User, sheet: Any) -> None:
        assert self.send(api_of(li), sheet(FARM)).status_code == 403
        assert not Intake.objects.exists()
