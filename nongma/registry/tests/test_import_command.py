"""Operators loaded from a sheet by command, as the page loads them."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from nongma.accounts.models import User
from nongma.registry.models import Intake, Operator
from nongma.registry.tests.loads import FARM, HOUSE


def run(path: Path, *arguments: str) -> str:
    out = StringIO()
    call_command("import_operators", str(path), *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "主体.xlsx"


def test_it_loads_and_prints_the_figures(zhao: User, sheet: Any, path: Path) -> None:
    path.write_bytes(sheet(FARM, HOUSE))
    assert "新登记 2，已有 0，与已有的不同 0，重复 0，有误 0" in run(path, f"--as={zhao.username}")
    assert set(Operator.objects.values_list("status", flat=True)) == {"imported"}
    intake = Intake.objects.get()
    assert (intake.user, intake.confirmed_by, intake.status) == (zhao, zhao, "done")
    assert "新登记 0，已有 2" in run(path, f"--as={zhao.username}", "--approve")


def test_it_leaves_with_two_and_says_which_cells_are_wrong(
    zhao: User, sheet: Any, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_bytes(sheet(FARM, HOUSE | {"phone": "123"}))
    with pytest.raises(SystemExit) as left:
        call_command("import_operators", str(path), f"--as={zhao.username}", "--approve")
    assert left.value.code == 2
    told = capsys.readouterr().out
    assert "新登记 1" in told
    assert "第 3 行 手机：" in told
    assert Operator.objects.get().status == "approved"


def test_it_says_why_nothing_was_loaded(zhao: User, li: User, sheet: Any, path: Path) -> None:
    with pytest.raises(CommandError, match="读不到"):
        run(path, f"--as={zhao.username}")
    path.write_bytes(b"%PDF-1.7")
    with pytest.raises(CommandError, match="不是表格"):
        run(path, f"--as={zhao.username}")
    path.write_bytes(sheet(FARM))
    with pytest.raises(CommandError, match="没有“nobody”这个用户"):
        run(path, "--as=nobody")
    with pytest.raises(CommandError, match="不能批量登记"):
        run(path, f"--as={li.username}")
    path.write_bytes("甲,乙\n1,2\n".encode())
    with pytest.raises(CommandError, match="不是主体批量登记表"):
        run(path, f"--as={zhao.username}")
    assert not Operator.objects.exists()
