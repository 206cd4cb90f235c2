"""One embedded server for a whole test run; each process tests in its own copy of a template database.

The template holds every migration and all reference data, so a copy costs about a second instead of a minute.
"""

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.environment import TEST_DATA

ROOT = Path(__file__).resolve().parent

pytest_plugins = ["nongma.testing"]

KEPT_AFTER_COMMIT = {
    "django_migrations",
    "django_content_type",
    "regions_region",
    "regions_regionload",
    "catalogue_product",
    "catalogue_substance",
    "catalogue_ban",
    "registry_scalerule",
    "certificates_certificatetemplate",
}


def _template_name() -> str:
    """A name that changes with anything the template is made of."""
    digest = hashlib.sha256()
    files = [*ROOT.glob("nongma/*/migrations/*.py"), *ROOT.glob("nongma/*/loading.py"), *ROOT.glob("data/**/*.csv*")]
    for path in sorted(files):
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(path.read_bytes())
    return f"nongma_template_{digest.hexdigest()[:12]}"


@contextlib.contextmanager
def _server_lock() -> Iterator[None]:
    with (TEST_DATA / "template.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _admin() -> psycopg.Connection[tuple[Any, ...]]:
    from nongma.run.database import connection_options

    return psycopg.connect(**{**connection_options(), "dbname": "postgres"}, autocommit=True)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Hold the server for as long as any process of any run needs it."""
    from django.conf import settings

    if settings.DATABASE_URL:
        return
    from nongma.lib import embedded

    handle = (TEST_DATA / "users.lock").open("w")
    fcntl.flock(handle, fcntl.LOCK_SH)
    session.config.stash[_users] = handle
    embedded.start(TEST_DATA, fsync="off", synchronous_commit="off", full_page_writes="off")


_users: pytest.StashKey[Any] = pytest.StashKey()


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last process to leave stops the server."""
    handle = config.stash.get(_users, None)
    if handle is None or os.environ.get("PYTEST_XDIST_WORKER"):
        return
    from nongma.lib import embedded

    with contextlib.suppress(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        embedded.stop(TEST_DATA, mode="immediate")
    handle.close()


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
    """A database of this process's own, copied from the template."""
    from django.core.management import call_command
    from django.db import connections

    connection = connections["default"]
    template = _template_name()
    own = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    with _admin() as admin:
        with _server_lock(), django_db_blocker.unblock():
            exists = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (template,)).fetchone()
            if not exists:
                for (old,) in admin.execute(
                    "SELECT datname FROM pg_database WHERE datname LIKE 'nongma_template_%'"
                ).fetchall():
                    admin.execute(f'DROP DATABASE IF EXISTS "{old}" WITH (FORCE)')
                draft = f"{template}_draft"
                admin.execute(f'DROP DATABASE IF EXISTS "{draft}" WITH (FORCE)')
                admin.execute(f'CREATE DATABASE "{draft}" TEMPLATE template0')
                connection.close()
                connection.settings_dict["NAME"] = draft
                call_command("migrate", verbosity=0)
                call_command("load_reference", verbosity=0)
                connection.close()
                admin.execute(f'ALTER DATABASE "{draft}" RENAME TO "{template}"')
            admin.execute(f'DROP DATABASE IF EXISTS "{own}" WITH (FORCE)')
            admin.execute(f'CREATE DATABASE "{own}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        connection.close()
        connection.settings_dict["NAME"] = own
        yield
        with django_db_blocker.unblock():
            connections.close_all()
        admin.execute(f'DROP DATABASE IF EXISTS "{own}" WITH (FORCE)')


@pytest.fixture
def own_server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of a server of the test's own, that may be killed: its database is the template."""
    from django.conf import settings

    from nongma.lib import embedded

    data = tmp_path_factory.mktemp("server")
    try:
        if settings.DATABASE_URL:  # a server that was given for the tests is not ours to copy
            embedded.start(data)
            env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
            for command in ("migrate", "load_reference"):
                manage = [sys.executable, "manage.py", command]
                subprocess.run(manage, cwd=ROOT, env=env | {"NONGMA_DATA": str(data)}, check=True, capture_output=True)
        else:
            embedded.copy(TEST_DATA, data)
            embedded.start(data)
            folder = str(embedded.socket_folder(data))
            with psycopg.connect(host=folder, user=embedded.SUPERUSER, dbname="postgres", autocommit=True) as admin:
                admin.execute(f'DROP DATABASE "{embedded.DATABASE}"')
                admin.execute(f'ALTER DATABASE "{_template_name()}" RENAME TO "{embedded.DATABASE}"')
        yield data
    finally:
        embedded.remove(data)


@pytest.fixture(scope="session", autouse=True)
def _list_static_files_once() -> Iterator[None]:
    """Every test client starts its own middleware, which would look through all static files again."""
    from whitenoise.middleware import WhiteNoiseMiddleware

    look = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, dict[str, Any]] = {}

    def look_once(self: WhiteNoiseMiddleware) -> None:
        if self.static_prefix not in found:
            look(self)
            found[self.static_prefix] = dict(self.files)
        self.files.update(found[self.static_prefix])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", look_once)
        yield


@pytest.fixture(scope="session", autouse=True)
def _keep_reference_data() -> Iterator[None]:
    """Tests that commit are cleaned up by emptying every table but those of the reference data."""
    from django.db import connection
    from django.test import TransactionTestCase

    def empty(self: TransactionTestCase) -> None:
        tables = [name for name in connection.introspection.table_names() if name not in KEPT_AFTER_COMMIT]
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {', '.join(tables)} RESTART IDENTITY CASCADE")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty)
        yield
