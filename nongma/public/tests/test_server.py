"""The real server: granian with config.asgi, another process, real sockets."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from nongma.certificates.models import Certificate
from nongma.codes.models import Scan
from nongma.public.tests.asgi import eventually
from nongma.tracing.models import Lot
from nongma.tracing.recalls import recall_lot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SERVE = (
    "from granian import Granian; from granian.constants import Interfaces; import sys; "
    "Granian('config.asgi:application', port=int(sys.argv[1]), interface=Interfaces.ASGI, workers=1).serve()"
)


class Server:
    """A web server of the test's own database on a free port."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        database = connection.settings_dict
        host = urllib.parse.quote(database["HOST"], safe="")
        url = f"postgresql://{database['USER']}@/{database['NAME']}?host={host}&port={database['PORT']}"
        environment = os.environ | {
            "DATABASE_URL": url,
            "NONGMA_DATA": str(settings.DATA),
            "NONGMA_PORT": str(self.port),
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(self.port)], cwd=settings.ROOT, env=environment, start_new_session=True
        )

    def get(self, path: str, **headers: str) -> tuple[int, Any, str]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def raw(self, request: bytes) -> bytes:
        """Send bytes as they are, as a client without manners would."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as wire:
            wire.sendall(request)
            return wire.recv(65536)

    def is_up(self) -> bool:
        try:
            return self.get("/healthz")[0] == 200
        except OSError:
            return False

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


@pytest.fixture(scope="module")
def server(django_db_setup: None) -> Iterator[Server]:
    """One for all: a server takes seconds to start."""
    server = Server()
    try:
        eventually(server.is_up, seconds=60)
        yield server
    finally:
        server.stop()


def test_a_scan_over_the_wire(server: Server, certificate: Certificate, lot: Lot, li):
    path = f"/t/{certificate.code}"
    status, headers, text = server.get(path, Accept="text/html")
    assert status == 200
    assert "合格证有效" in text
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert server.get(f"/t/{'1' * 20}")[0] == 404
    recall_lot(lot=lot, reason="农药残留超标", actor=li)
    eventually(lambda: server.get(path)[0] == 410, seconds=2)
    for target in ("/t/%", "/t/%zz%ff", "/t/" + "x" * 7000, "/01/%00", "/t/%E5%86"):
        answer = server.raw(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert answer.split(b" ")[1] in {b"400", b"404", b"414"}, target
    assert server.is_up()
    eventually(lambda: Scan.objects.filter(serial=certificate.serial, answer="recalled").exists())


def test_django_answers_the_rest(server: Server):
    assert server.get("/no-such-page-anywhere")[0] == 404


def test_it_is_ready_when_a_worker_lives(server: Server):
    status, _, text = server.get("/readyz")
    assert (status, text) == (503, '{"status": "not_ready", "database": true, "worker": false}')
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
    assert server.get("/readyz")[0] == 200
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
    assert server.get("/readyz")[0] == 503


def test_scans_are_written_before_it_stops(server: Server, certificate: Certificate):
    for _ in range(5):
        server.get(f"/t/{certificate.code}")
    server.stop()
    assert Scan.objects.filter(serial=certificate.serial).count() == 5
