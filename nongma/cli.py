"""The `nongma` command: everything that runs the platform from a shell."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from nongma.lib.refused import Refused

Run = Callable[[argparse.Namespace, list[str]], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point; returns the exit code. A refusal is one clear line, never a traceback."""
    parser, commands = _parser()
    args, rest = parser.parse_known_args(argv)
    if args.command is None:
        parser.print_help()
        return 2
    if rest and args.command not in PASSED_ON:
        commands[args.command].error(f"不认识的参数：{' '.join(rest)}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        return COMMANDS[args.command](args, rest)
    except Refused as refusal:
        print(f"nongma: {refusal.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(args: argparse.Namespace, rest: list[str]) -> int:
    if args.demo:
        os.environ["NONGMA_DEMO"] = "1"
    from nongma.run.supervisor import supervise

    return supervise(demo=args.demo)


def _manage(args: argparse.Namespace, rest: list[str]) -> int:
    from nongma.run.database import ready_database

    with ready_database():
        from django.core.management import execute_from_command_line

        execute_from_command_line(["nongma manage", *rest])
    return 0


def _management(name: str) -> Run:
    """A command of ours that is a Django management command underneath."""

    def run(args: argparse.Namespace, rest: list[str]) -> int:
        return _manage(args, [name, *rest])

    return run


def _verify(args: argparse.Namespace, rest: list[str]) -> int:
    """Verifying needs no database unless a printed code is looked up, so none is started for it here."""
    from django.core.management import execute_from_command_line

    execute_from_command_line(["nongma", "verify_certificate", *rest])
    return 0


def _backup(args: argparse.Namespace, rest: list[str]) -> int:
    from nongma.run.backup import back_up

    print(f"已备份到 {back_up(args.file)}")
    return 0


def _restore(args: argparse.Namespace, rest: list[str]) -> int:
    from nongma.run.backup import restore

    restore(args.file, replace=args.replace)
    print("已恢复")
    return 0


COMMANDS: dict[str, Run] = {
    "run": _run,
    "manage": _manage,
    "import-origins": _management("import_origins"),
    "import-operators": _management("import_operators"),
    "make-codes": _management("make_codes"),
    "verify": _verify,
    "load-reference": _management("load_reference"),
    "load-areas": _management("load_areas"),
    "backup": _backup,
    "restore": _restore,
}
PASSED_ON = {"manage", "import-origins", "import-operators", "make-codes", "verify", "load-reference", "load-areas"}


def _parser() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    parser = argparse.ArgumentParser(prog="nongma", description="农码：从田间到餐桌的追溯平台")
    commands = parser.add_subparsers(dest="command", metavar="命令")
    known: dict[str, argparse.ArgumentParser] = {}

    def add(name: str, help_text: str) -> argparse.ArgumentParser:
        known[name] = commands.add_parser(
            name, help=help_text, description=help_text, add_help=name not in PASSED_ON, allow_abbrev=False
        )
        return known[name]

    add("run", "启动平台：数据库、网页、后台任务").add_argument(
        "--demo", action="store_true", help="载入演示县（海南省三亚市崖州区）和演示账号"
    )
    add("manage", "Django 管理命令，如 nongma manage migrate")
    add("import-origins", "批量导入产地溯源信息采集表")
    add("import-operators", "批量登记主体")
    add("make-codes", "生成单品码文件")
    add("verify", "核验承诺达标合格证（文件或 20 位码）")
    add("load-reference", "载入参考数据：行政区划、产品、禁限用清单、合格证样式")
    add("load-areas", "载入水面、城区的面，用来找疑点")
    add("backup", "备份数据库、上传文件和密钥到一个文件").add_argument("file", help="备份文件（.tar）")
    command = add("restore", "从备份文件恢复")
    command.add_argument("file", help="备份文件（.tar）")
    command.add_argument("--replace", action="store_true", help="覆盖已有数据")
    return parser, known


if __name__ == "__main__":
    sys.exit(main())
