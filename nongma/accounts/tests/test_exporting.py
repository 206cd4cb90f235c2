"""What is taken out of the platform is on record or not there at all (导出)."""

import io
from typing import IO

import pytest

from nongma.accounts import exporting
from nongma.accounts.exporting import take_out
from nongma.accounts.models import User
from nongma.audit.models import Entry


def test_a_file_that_is_not_on_record_is_gone(zhao: User, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[IO[bytes]] = []

    def make(mark: str) -> tuple[IO[bytes], int]:
        made.append(io.BytesIO())
        made[0].write(mark.encode())
        return made[0], 1

    def fail(*args: object, **details: object) -> None:
        raise RuntimeError("the log can't be written")

    monkeypatch.setattr(exporting, "record", fail)
    with pytest.raises(RuntimeError):
        take_out("operators.exported", make, purpose="核对", actor=zhao, narrowed_to="全部")
    assert made[0].closed
    assert not Entry.objects.exists()
