"""What is sensitive wants the password again when it was given too long ago, and loses nothing that was filled in."""

import time
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from nongma.accounts.access import ALLOWED, SENSITIVE, Action
from nongma.accounts.models import Agency, Authenticator, RecoveryCode, User
from nongma.accounts.sessions import PROVED, PROVED_FULLY
from nongma.accounts.tests import repeatable_urls
from nongma.accounts.tokens import token_for
from nongma.audit.models import Entry
from nongma.origins.models import Origin
from nongma.testing import api_of, client_of, one_time_code

PASSWORD, NEW = "seven-green-hills", "eight-green-hills"
CONFIRM = reverse("accounts:confirm")
EXPORT = reverse("audit:export")
PURPOSE = {"reason": "年度检查"}


@pytest.fixture
def stale(hainan: User) -> Client:
    """A browser in which the administrator of 海南省 signed in eleven minutes ago."""
    return stale_of(hainan)


def stale_of(user: User) -> Client:
    user.set_password(PASSWORD)
    user.save()
    client = client_of(user)
    age(client)
    return client


def age(client: Client) -> None:
    session = client.session
    session.update(dict.fromkeys((PROVED, PROVED_FULLY), int(time.time()) - 11 * 60))
    session.save()


def test_it_is_wanted_for_granting_revealing_and_exporting() -> None:
    of_roles = {action for actions in ALLOWED.values() for action in actions}
    words = ("manage_", "reveal_", "export_", "grant_")
    assert {action for action in of_roles if action.value.startswith(words)} <= SENSITIVE


def test_a_fresh_sign_in_is_proof_enough(hainan: User) -> None:
    assert client_of(hainan).post(EXPORT, PURPOSE)["Content-Type"].startswith("text/csv")


def test_a_page_is_led_to_the_password_and_back(li: User) -> None:
    client = stale_of(li)
    page = reverse("accounts:code") + "?x=1"
    led = client.get(page)
    assert led.url == f"{CONFIRM}?next=%2Fme%2Fcode%3Fx%3D1&full=1"
    shown = client.get(led.url)
    assert ("next", page) in shown.context["sent"].fields
    old_key = client.session.session_key
    assert client.post(CONFIRM, {"proof_password": PASSWORD, "next": page, "full": "1"}).url == page
    assert client.session.session_key != old_key
    assert client.get(page).status_code == 200


def test_how_one_signs_in_changes_with_the_second_factor_too(stale: Client, hainan: User) -> None:
    page = reverse("accounts:recovery")
    assert "六位动态口令" in stale.post(page).text
    password = {"proof_password": PASSWORD}
    assert stale.post(CONFIRM, password).status_code == 302
    assert "六位动态口令" in stale.post(page).text
    assert "请填写" in stale.post(page, password).text
    assert "口令不对" in stale.post(page, password | {"proof_code": "000000"}).text
    assert not Entry.objects.filter(action="account.recovery_renewed").exists()
    phone = Authenticator.objects.get(user=hainan)
    phone.throttle_reset()
    assert len(stale.post(page, password | {"proof_code": one_time_code(phone)}).context["codes"]) == 10


def test_a_new_password_is_no_second_factor(stale: Client, hainan: User) -> None:
    fields = {"old": PASSWORD, "new": NEW, "again": NEW}
    assert stale.post(reverse("accounts:password"), fields).url == reverse("accounts:account")
    assert stale.get(reverse("accounts:account")).status_code == 200
    elsewhere = client_of(User.objects.get(pk=hainan.pk))
    before = Entry.objects.count()
    for name in ("recovery", "start-code", "stop-code", "end-sessions"):
        assert "六位动态口令" in stale.post(reverse(f"accounts:{name}")).text
    assert stale.get(reverse("accounts:recovery")).url.startswith(CONFIRM)
    assert (Entry.objects.count(), RecoveryCode.objects.count()) == (before, 0)
    assert Authenticator.objects.get(user=hainan).confirmed
    assert elsewhere.get(reverse("accounts:account")).status_code == 200


def test_a_phone_just_enrolled_is_the_second_factor(li: User) -> None:
    client = stale_of(li)
    client.post(CONFIRM, {"proof_password": PASSWORD, "full": "1"})
    client.post(reverse("accounts:start-code"))
    phone = Authenticator.objects.get(user=li)
    assert client.post(reverse("accounts:code"), {"code": one_time_code(phone)}).status_code == 200
    assert client.get(reverse("accounts:recovery")).status_code == 200
    assert client.session[PROVED_FULLY] == client.session[PROVED]


def test_it_leads_to_no_other_site(stale: Client) -> None:
    assert stale.post(CONFIRM, {"proof_password": PASSWORD, "next": "//evil.example/"}).url == reverse("desk:home")


def test_a_form_is_kept_and_done_with_the_right_password(zhao: User, li_origin: Origin) -> None:
    client = stale_of(zhao)
    page = reverse("origins:reveal", args=[li_origin.uid])
    fields = {"a": ["1", "2"], "note": 'quote " and <tag>'}
    asked = client.post(f"{page}?from=map", fields, headers={"referer": f"http://testserver/origins/{li_origin.uid}"})
    sent = asked.context["sent"]
    assert (sent.action, sent.fields) == (f"{page}?from=map", [("a", "1"), ("a", "2"), ("note", fields["note"])])
    assert asked.context["back"] == f"/origins/{li_origin.uid}"
    assert "no-store" in asked["Cache-Control"]
    assert not Entry.objects.filter(action="origin.revealed").exists()

    wrong = client.post(sent.action, {**fields, "proof_password": "wrong", "proof_back": "/origins/"})
    assert "密码不对" in wrong.text
    assert (wrong.context["sent"].fields, wrong.context["back"]) == (sent.fields, "/origins/")
    assert not Entry.objects.filter(action="origin.revealed").exists()

    done = client.post(sent.action, {**fields, "proof_password": PASSWORD})
    assert li_origin.phone in done.text
    assert Entry.objects.filter(action="origin.revealed").count() == 1
    assert client.post(page).status_code == 200
    assert Entry.objects.filter(action="origin.revealed").count() == 2


def test_the_form_that_asks_is_ours_too(hainan: User) -> None:
    hainan.set_password(PASSWORD)
    hainan.save()
    client = Client(enforce_csrf_checks=True)
    client.force_login(hainan, backend="nongma.accounts.backends.PasswordBackend")
    assert client.post(EXPORT, {"proof_password": PASSWORD}).status_code == 403
    assert not Entry.objects.filter(action="audit.exported").exists()


def test_an_export_goes_on_as_a_file(stale: Client) -> None:
    asked = stale.post(EXPORT, PURPOSE)
    assert "data-download" in asked.text
    assert stale.post(EXPORT, PURPOSE | {"proof_password": PASSWORD})["Content-Disposition"].startswith("attachment")


def test_files_and_endless_forms_are_not_carried(stale: Client) -> None:
    headers = {"referer": "http://testserver/audit/"}
    for body in ({"file": SimpleUploadedFile("x.xlsx", b"1")}, {"a": ["1"] * 501}, {"a": "x" * 200_001}):
        assert stale.post(EXPORT, body, headers=headers).url == f"{CONFIRM}?next=%2Faudit%2F"
    assert not Entry.objects.filter(action="audit.exported").exists()


def test_the_way_back_leads_to_no_other_site(stale: Client) -> None:
    ours = "http://testserver"
    for url in ("https://evil.example/", "javascript:alert(1)", "//evil.example", f"{ours}//evil.example/x", ours):
        assert stale.post(EXPORT, {"proof_password": "wrong", "proof_back": url}).context["back"] == "/"
        assert stale.post(EXPORT, headers={"referer": url}).context["back"] == "/"


def test_htmx_is_led_to_the_page_as_a_whole(stale: Client) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/audit/?kind=lot"}
    answer = stale.post(EXPORT, headers=headers)
    assert answer["HX-Redirect"] == f"{CONFIRM}?next=%2Faudit%2F%3Fkind%3Dlot"
    answer = stale.post(EXPORT, headers=headers | {"HX-Current-URL": "https://evil.example/"})
    assert answer["HX-Redirect"] == f"{CONFIRM}?next=%2F"


def test_the_way_back_does_not_leave_https(stale: Client) -> None:
    headers = {"referer": "http://testserver/audit/"}
    assert stale.post(EXPORT, headers=headers, secure=True).context["back"] == "/"
    headers = {"referer": "https://testserver/audit/"}
    assert stale.post(EXPORT, headers=headers, secure=True).context["back"] == "/audit/"


def test_wrong_ones_lock_as_at_the_sign_in(stale: Client, hainan: User) -> None:
    for _ in range(9):
        assert stale.post(CONFIRM, {"proof_password": "wrong"}).status_code == 200
    assert stale.post(CONFIRM, {"proof_password": "wrong"}).status_code == 429
    assert stale.post(CONFIRM, {"proof_password": PASSWORD}).status_code == 429
    assert stale.post(EXPORT, {"proof_password": PASSWORD}).status_code == 429
    refused = Client().post(reverse("accounts:sign-in"), {"username": "hainan", "password": PASSWORD})
    assert refused.status_code == 429
    assert not Entry.objects.filter(action="audit.exported").exists()
    assert Entry.objects.filter(action="account.failed", target_id=str(hainan.uid)).count() == 9


def test_a_right_one_forgets_the_wrong_ones(stale: Client) -> None:
    for _ in range(2):
        for _ in range(9):
            stale.post(CONFIRM, {"proof_password": "wrong"})
        assert stale.post(CONFIRM, {"proof_password": PASSWORD}).status_code == 302


def test_changing_the_password_locks_too(stale: Client) -> None:
    page = reverse("accounts:password")
    fields = {"old": "wrong", "new": "eight-green-hills", "again": "eight-green-hills"}
    answers = [stale.post(page, fields).status_code for _ in range(10)]
    assert answers == [200] * 9 + [429]
    assert stale.post(page, fields | {"old": PASSWORD}).status_code == 429


def test_settings_say_for_how_long(stale: Client, settings: LazySettings) -> None:
    settings.PROOF_SECONDS = 12 * 60
    assert stale.post(EXPORT, PURPOSE)["Content-Type"].startswith("text/csv")


@pytest.mark.urls(repeatable_urls.__name__)
def test_a_token_is_proof_as_long_as_it_is_fresh(hainan: User, settings: LazySettings) -> None:
    body = {"data": {"name": "新机构"}, "content_type": "application/json"}
    then = timezone.now() - timedelta(seconds=settings.PROOF_SECONDS)
    with patch("nongma.accounts.tokens.timezone.now", return_value=then):
        old = token_for(hainan)
    refused = Client().post("/api/test/names", headers={"Authorization": f"Bearer {old}"}, **body)
    assert (refused.status_code, refused.json()["code"]) == (403, "password_needed")
    assert not Agency.objects.filter(name="新机构").exists()
    assert api_of(hainan).post("/api/test/names", **body).status_code == 201


@pytest.mark.urls(repeatable_urls.__name__)
def test_the_api_asks_browsers_too(stale: Client) -> None:
    refused = stale.post("/api/test/names", {"name": "新机构"}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "password_needed")
    assert not Agency.objects.filter(name="新机构").exists()


def test_what_needs_no_role_needs_no_proof_but_ones_own_security() -> None:
    assert SENSITIVE & {Action.SIGNED_IN, Action.CHANGE_PASSWORD, Action.PROVE_PASSWORD, Action.PUBLIC} == set()
    assert Action.SECURE_ACCOUNT in SENSITIVE
