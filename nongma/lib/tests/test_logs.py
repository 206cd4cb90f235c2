import logging

from django.conf import settings

from nongma.lib.logs import LineFormatter


def test_a_line_tells_its_zone() -> None:
    entry = logging.makeLogRecord({"name": "nongma", "levelname": "INFO", "msg": "导入 %s", "args": ("完成",)})
    entry.created = 1_772_323_200.5
    formatter = LineFormatter("{asctime} {levelname} {name} {message}", style="{")
    assert formatter.format(entry) == "2026-03-01T08:00:00.500+08:00 INFO nongma 导入 完成"
    assert settings.LOGGING["formatters"]["line"]["()"] == "nongma.lib.logs.LineFormatter"
