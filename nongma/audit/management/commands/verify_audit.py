from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from nongma.audit.models import Entry
from nongma.audit.verification import anchor_of, proof_of, verify


class Command(BaseCommand):
    """Check the audit log against its seals; ends with an error when anything was changed."""

    help = "核对审计记录与封存：有没有被改动、删除或插入"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--anchor", type=anchor_of, metavar="序号:摘要", help="以前记下的封存，核对链条末尾有没有被截断"
        )
        parser.add_argument("--entry", type=UUID, metavar="编号", help="只证明一条记录已封存，打印证明")

    def handle(self, *args: Any, anchor: tuple[int, bytes] | None, entry: UUID | None, **options: Any) -> None:
        if entry:
            self._prove(entry)
            return
        report = verify(anchor)
        for finding in report.findings:
            self.stderr.write(str(finding))
        if not report.sound:
            raise CommandError(f"审计记录有 {report.found} 处问题")
        self.stdout.write(f"审计记录完好：{report.entries} 条，{report.seals} 个封存")
        self.stdout.write(f"最后的封存（可另行保存，以后用 --anchor 核对）：{report.number}:{report.digest.hex()}")

    def _prove(self, key: UUID) -> None:
        entry = Entry.objects.filter(pk=key).first()
        proof = proof_of(entry) if entry else None
        if proof is None:
            raise CommandError(f"没有已封存的记录 {key}")
        if not proof.holds:
            raise CommandError(f"记录 {key} 与封存 {proof.seal.number} 不符")
        self.stdout.write(f"封存 {proof.seal.number}，第 {proof.index + 1} 条，共 {len(proof.seal.entry_ids)} 条")
        self.stdout.write(f"根摘要 {bytes(proof.seal.root).hex()}")
        self.stdout.write(f"记录摘要 {proof.leaf.hex()}")
        for step in proof.path:
            self.stdout.write(f"旁支 {step.hex()}")
