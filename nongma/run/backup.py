"""One file that holds everything: the database, the uploaded files and the keys."""

import json
import os
import subprocess
import tarfile
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from django.conf import settings

from nongma.lib import embedded
from nongma.lib.refused import Refused
from nongma.run.database import connection_options, ready_database

FORMAT = 1
FOLDERS = ("uploads", "keys")


def back_up(file: str) -> Path:
    """Write the database (as of one moment), the uploads and the keys to a tar file, readable by its owner alone.

    Refuses `file_exists`, `dump_failed`. The file appears whole or not at all.
    """
    target = Path(file).resolve()
    if target.exists():
        raise Refused("file_exists", f"{target} 已经存在，请换一个文件名")
    with ready_database(), tempfile.TemporaryDirectory(dir=target.parent) as folder:
        dump = Path(folder) / "database.dump"
        _program("pg_dump", "--format=custom", "--no-owner", f"--file={dump}", code="dump_failed")
        about = Path(folder) / "about.json"
        about.write_text(json.dumps({"format": FORMAT, "made_at": datetime.now(UTC).isoformat()}))
        draft = Path(folder) / "draft.tar"
        with tarfile.open(draft, "w") as tar:
            tar.add(about, "about.json")
            tar.add(dump, "database.dump")
            for name in FOLDERS:
                if (settings.DATA / name).exists():
                    tar.add(settings.DATA / name, name)
        os.chmod(draft, 0o600)
        draft.rename(target)
    return target


def restore(file: str, *, replace: bool) -> None:
    """Put a backup in place of this data folder's database, uploads and keys.

    Refuses `not_a_backup`, `not_empty` (unless `replace`), `restore_failed` (the database is then as before).
    """
    try:
        with tarfile.open(file) as tar, tempfile.TemporaryDirectory() as folder:
            about = tar.extractfile("about.json")
            if about is None or json.load(about)["format"] != FORMAT:
                raise KeyError
            tar.extractall(folder, filter="data")
            with ready_database():
                if _has_data() and not replace:
                    raise Refused("not_empty", "数据库里已有数据；确定要覆盖请加 --replace")
                _program(
                    "pg_restore",
                    "--clean",
                    "--if-exists",
                    "--no-owner",
                    "--single-transaction",
                    f"--dbname={settings.DATABASES['default']['NAME']}",
                    str(Path(folder) / "database.dump"),
                    code="restore_failed",
                )
            for name in FOLDERS:
                _put_back(Path(folder) / name, settings.DATA / name)
    except (OSError, tarfile.TarError, KeyError, ValueError):
        raise Refused("not_a_backup", f"{file} 不是 nongma 的备份文件，或已损坏") from None


def _put_back(source: Path, target: Path) -> None:
    """Lay files of the backup over the data folder; files that the backup lacks stay."""
    for path in sorted(source.rglob("*")):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft = place.with_name(f".{place.name}.restoring")
            draft.write_bytes(path.read_bytes())
            os.chmod(draft, 0o600)
            draft.replace(place)


def _has_data() -> bool:
    with psycopg.connect(**connection_options()) as connection:
        row = connection.execute("SELECT to_regclass('accounts_user')").fetchone()
        if row is None or row[0] is None:
            return False
        found = connection.execute("SELECT EXISTS (SELECT 1 FROM accounts_user)").fetchone()
        return bool(found and found[0])


def _program(name: str, *args: str, code: str) -> None:
    """Run one of the server's client programs against our database; the password goes by the environment."""
    environment = dict(os.environ)
    for option, value in connection_options().items():
        environment["PGDATABASE" if option == "dbname" else f"PG{option.upper()}"] = str(value)
    done = subprocess.run(
        [str(embedded.binaries() / name), *args], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refused(code, f"{name} 没有成功：{done.stderr.strip()[-2000:]}")
