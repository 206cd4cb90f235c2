"""Accounts handed out by a sheet: 5,000 people at 1,000 village stations, beside the bare argon2 hashes of as many.

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
STATIONS = 1_000
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
        write_sheet(path, ROWS)
        with path.open("rb") as handle:
            handout = submit_handout(file=File(handle), filename=path.name, actor=actor)
        taken = seconds(lambda: run_handout(handout.uid))
        handout.refresh_from_db()
        if (handout.status, handout.created, handout.rejected) != ("done", ROWS, 0):
            raise SystemExit(f"the bench's own sheet was not taken whole: {handout.status} {handout.message}")
        bare = (bare + HASHES / seconds(lambda: secrets_for(range(HASHES)))) / 2
        set_seconds = seconds(lambda: print_slips(handout=handout, part=0, order=Order.ROW, actor=actor))
        by_agency = seconds(lambda: print_slips(handout=handout, part=1, order=Order.AGENCY, actor=actor))
    return [
        figure("accounts handed out by a sheet", ROWS / taken, "accounts/s", "bare argon2 hashes", bare),
        figure("a PDF of 1,000 slips", set_seconds, "s", "with a sheet for each agency", by_agency),
    ]


def write_sheet(path: Path, rows: int) -> None:
    """A sheet with so many new people, five at a station."""
    import xlsxwriter

    from nongma.regions.models import Region

    stamp = f"{time.time_ns() // 1_000_000 % 10**7:07d}"
    villages = Region.objects.current().filter(level=Region.Level.VILLAGE).order_by("code")
    codes = list(villages.values_list("code", flat=True)[: rows * STATIONS // ROWS + 1])
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet("账号分配表")
        sheet.write_row(0, 0, ["区划代码", "机构名称", "类别", "姓名", "手机", "角色"])
        for number in range(rows):
            code = codes[number * STATIONS // ROWS]
            phone = f"139{number:08}"
            sheet.write_row(number + 1, 0, [f"{code:012}", f"{stamp}站", "监管", f"周{number}", phone, "信息采集员"])


@contextlib.contextmanager
def _administrator() -> Iterator[Any]:
    """The administrator of the whole country, gone from the post afterwards."""
    from django.utils import timezone

    from nongma.accounts.models import Agency, Membership, Role, User

    topmost = Agency.objects.filter(region_id=0, kind=Agency.Kind.SUPERVISION).order_by("pk")
    agency = topmost.first() or Agency.objects.create(
        region_id=0, kind=Agency.Kind.SUPERVISION, name="分配测速", level=0
    )
    user, _ = User.objects.get_or_create(
        username="bench-handouts", defaults={"name": "分配测速", "password": "!", "agency": agency, "has_totp": True}
    )
    post, _ = Membership.objects.get_or_create(
        user=user, agency=agency, role=Role.ADMINISTRATOR, to_on=None, defaults={"from_on": timezone.localdate()}
    )
    Agency.objects.filter(pk=agency.pk).update(administrator=user)
    yield User.objects.get(pk=user.pk)
    Agency.objects.filter(pk=agency.pk).update(administrator=None)
    post.delete()
