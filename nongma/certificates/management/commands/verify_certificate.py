from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from nongma.catalogue.models import Unit
from nongma.certificates.models import Basis, Certificate
from nongma.certificates.payload import packed
from nongma.certificates.verification import verify
from nongma.codes.codec import decode, has_shape
from nongma.lib import signing

LARGEST_FILE = 64 * 1024
LABELS = {
    "code": "合格证码",
    "product": "产品名称",
    "quantity": "数量",
    "operator": "生产者",
    "place": "产地",
    "issued": "开具日期",
    "basis": "承诺依据",
}


class Command(BaseCommand):
    """Check a certificate: a file or a QR's text by its signature alone, a code by what is on file."""

    help = "验证合格证：文件或二维码文字按签名验证（不需要网络和数据库），20 位码查平台记录"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("subject", metavar="FILE|CODE", help="合格证文件（JSON 或二维码文字），或 20 位合格证码")
        parser.add_argument("--keys", metavar="FILE", help="公钥文件（/.well-known/nongma-keys.json），默认用本平台的")

    def handle(self, *args: Any, **options: Any) -> None:
        subject: str = options["subject"].strip()
        known = self._keys(options["keys"])
        if has_shape(subject.replace(" ", "")):
            self._look_up(subject.replace(" ", ""), known)
        else:
            self._check(self._text(subject), known)

    def _keys(self, path: str | None) -> signing.Keys:
        if path is None:
            return signing.public_keys()
        try:
            return signing.read_key_set(_read(path))
        except ValueError as error:
            raise CommandError(f"{path}: {error}") from None

    def _text(self, subject: str) -> str:
        return subject if subject.startswith("NM1:") else _read(subject)

    def _check(self, text: str, known: signing.Keys) -> None:
        verdict = verify(text, known)
        if not verdict.genuine:
            raise CommandError(f"假或无法确认（{verdict.finding}）：{verdict.reason}")
        self.stdout.write(self.style.SUCCESS(f"真：{verdict.reason}"))
        shown = verdict.fields | {
            "quantity": f"{verdict.fields['quantity']} {_label(Unit, verdict.fields['unit'])}",
            "basis": _label(Basis, verdict.fields["basis"]),
        }
        for field, label in LABELS.items():
            self.stdout.write(f"  {label}：{shown[field]}")

    def _look_up(self, code: str, known: signing.Keys) -> None:
        if decode(code) is None:
            raise CommandError("假：这不是本平台的码")
        try:
            certificate = Certificate.objects.coded(code).select_related("lot").first()
        except DatabaseError:
            raise CommandError("查不到平台记录：数据库没有启动。可用合格证文件离线验证") from None
        if certificate is None:
            raise CommandError("这是本平台的码，但不是合格证")
        self._check(packed(certificate.payload, bytes(certificate.signature)), known)
        self.stdout.write(f"  当前状态：{certificate.state.label}")
        if certificate.state != Certificate.State.VALID:
            raise CommandError(f"该合格证{certificate.state.label}")


def _label(choices: type[Unit] | type[Basis], value: str) -> str:
    return str(choices(value).label) if value in choices.values else value


def _read(path: str) -> str:
    try:
        with Path(path).open("rb") as handle:
            data = handle.read(LARGEST_FILE + 1)
    except OSError as error:
        raise CommandError(f"{path}: 读不到这个文件（{error.strerror}）") from None
    if len(data) > LARGEST_FILE:
        raise CommandError(f"{path}: 文件太大，不是合格证")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise CommandError(f"{path}: 不是文本文件") from None
