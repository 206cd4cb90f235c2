"""How a line of the log begins: with a moment that nobody can mistake, whatever the machine's clock is set to."""

import logging
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings


class LineFormatter(logging.Formatter):
    """Log lines with ISO 8601 times in the platform's zone: 2026-03-01T08:00:00.123+08:00."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        at = datetime.fromtimestamp(record.created, ZoneInfo(settings.TIME_ZONE))
        return at.isoformat(timespec="milliseconds")
