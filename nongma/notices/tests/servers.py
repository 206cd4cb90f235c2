"""Small real servers on loopback: an SMS gateway or webhook, and a mail server."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Gateway:
    """An HTTP service that keeps what it got; `answers` are the statuses it gives, the last one for ever."""

    def __init__(self) -> None:
        self.answers: list[int] = [200]
        self.body = b'{"ok": true}'
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.raw: list[bytes] = []
        self.got = threading.Event()
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.url = ""

    @property
    def taken(self) -> dict[str, dict[str, Any]]:
        """The messages by their id, as a gateway that drops doubles has them."""
        return {request["id"]: request for request in self.requests}


@contextmanager
def gateway(port: int = 0) -> Iterator[Gateway]:
    kept = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            kept.raw.append(raw)
            kept.requests.append(json.loads(raw))
            kept.headers.append(dict(self.headers))
            kept.got.set()
            kept.may_answer.wait(30)
            status = kept.answers.pop(0) if len(kept.answers) > 1 else kept.answers[0]
            try:
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", f"{kept.url}elsewhere")
                self.send_header("Content-Length", str(len(kept.body)))
                self.end_headers()
                self.wfile.write(kept.body)
            except OSError:
                pass

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    kept.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        kept.may_answer.set()
        server.shutdown()
        server.server_close()
        thread.join()


class MailServer:
    """An SMTP server that keeps what it got; `refusal` is its answer to every recipient."""

    def __init__(self) -> None:
        self.refusal = ""
        self.mails: list[str] = []
        self.port = 0


@contextmanager
def mail_server() -> Iterator[MailServer]:
    kept = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 mail")
            while line := self.rfile.readline().decode().strip():
                verb = line.split(" ")[0].upper()
                if verb == "RCPT" and kept.refusal:
                    self.say(kept.refusal)
                elif verb == "DATA":
                    self.say("354 go on")
                    lines = []
                    while (text := self.rfile.readline()) not in (b".\r\n", b""):
                        lines.append(text.decode())
                    kept.mails.append("".join(lines))
                    self.say("250 taken")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
