"""Accounts handed out by a sheet: 5,000 people at 250 village stations, beside the bare argon2 hashes of as many.

The limit is what the same threads need to hash passwords and do nothing else; judging, saving and the log are on top.
"""

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.figures import figure, seconds

ROWS = 5_000
STATIONS = 250
HASHES = 500


def measure() -> list[dict[str, Any]]:
    """Accounts a second from the sheet to accounts with posts, and slips a second in one PDF."""
    import django

    django.setup()
    from django.core.files import File

    from nongma.accounts.handouts.saving import secrets_for
    from nongma.accounts.handouts.services import run_handout, submit_handout
    from nongma.accounts.handouts.slips import Order, print_slips

    bare = HASHES / seconds(lambda: secrets_for(range(HASHES)))
    with tempfile.TemporaryDirectory(prefix="nongma-bench-") as folder, _administrator() as actor:
        path = Path(folder) / "accounts.xlsx"
        write_sheet(path, ROWS, actor.agency.region)
        with path.open("rb") as handle:
            handout = submit_handout(file=File(handle), filename=path.name, actor=actor)
        taken = seconds(lambda: run_handout(handout.uid))
        handout.refresh_from_db()
        if (handout.status, handout.created, handout.rejected) != ("done", ROWS, 0):
            told = f"{handout.status}, {handout.created} made, {handout.rejected} refused {handout.message}"
            raise SystemExit(f"the bench's own sheet was not taken whole: {told}")
        bare = (bare + HASHES / seconds(lambda: secrets_for(range(HASHES)))) / 2
        set_seconds = seconds(lambda: print_slips(handout=handout, part=0, order=Order.ROW, actor=actor))
        by_agency = seconds(lambda: print_slips(handout=handout, part=1, order=Order.AGENCY, actor=actor))
    return [
        figure("accounts handed out by a sheet", ROWS / taken, "accounts/s", "bare argon2 hashes", bare),
        figure("a PDF of 1,000 slips", set_seconds, "s", "with a sheet for each agency", by_agency),
    ]


def write_sheet(path: Path, rows: int, county: Any) -> None:
    """A sheet with so many new people at village stations of a county."""
    import xlsxwriter

    from nongma.regions.spans import span_of

    stamp = f"{time.time_ns() // 1_000_000 % 10**7:07d}"
    codes = list(_villages().filter(code__range=span_of(county.code)).values_list("code", flat=True)[:STATIONS])
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet("账号分配表")
        sheet.write_row(0, 0, ["区划代码", "机构名称", "类别", "姓名", "手机", "角色"])
        for number in range(rows):
            code = codes[number * STATIONS // rows]
            phone = f"1990000{number:04}"
            sheet.write_row(number + 1, 0, [f"{code:012}", f"{stamp}站", "监管", f"周{number}", phone, "信息采集员"])


@contextlib.contextmanager
def _administrator() -> Iterator[Any]:
    """The administrator of a county with enough villages: who is on file there, else one gone again afterwards."""
    from django.utils import timezone

    from nongma.accounts.models import Agency, Membership, Role, User

    county = _county()
    here = Agency.objects.filter(region_id=county.code, kind=Agency.Kind.SUPERVISION).order_by("pk")
    manned = here.exclude(administrator=None).select_related("administrator").first()
    if manned:
        User.objects.filter(pk=manned.administrator_id).update(has_totp=True)
        yield User.objects.get(pk=manned.administrator_id)
        return
    agency = here.first() or Agency.objects.create(
        region=county, kind=Agency.Kind.SUPERVISION, name="分配测速", level=county.level
    )
    user, _ = User.objects.get_or_create(
        username="bench-handouts", defaults={"name": "分配测速", "password": "!", "agency": agency, "has_totp": True}
    )
    post = Membership.objects.create(user=user, agency=agency, role=Role.ADMINISTRATOR, from_on=timezone.localdate())
    Agency.objects.filter(pk=agency.pk).update(administrator=user)
    yield User.objects.get(pk=user.pk)
    Agency.objects.filter(pk=agency.pk).update(administrator=None)
    post.delete()


def _county() -> Any:
    """The first county with a village for each station."""
    from django.db.models import Count, F

    from nongma.regions.models import Region

    large = _villages().values(county=F("code") / 10**6).annotate(many=Count("pk")).filter(many__gte=STATIONS)
    return Region.objects.get(code=large.order_by("county").values_list("county", flat=True)[0] * 10**6)


def _villages() -> Any:
    from nongma.regions.models import Region

    return Region.objects.current().filter(level=Region.Level.VILLAGE).order_by("code")
