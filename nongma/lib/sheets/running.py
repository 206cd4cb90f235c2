"""Working through an uploaded sheet: chunk by chunk, by one worker at a time, going on after a kill."""

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol, TypeVar

from nongma.lib.locks import alone
from nongma.lib.refused import Refused

MOST_ATTEMPTS = 3

Item = TypeVar("Item")


class Overtaken(Exception):
    """Another worker has gone on with this upload."""


class Upload(Protocol):
    """An upload that is worked through: `attempts` counts the starts since it last got on."""

    @property
    def pk(self) -> Any: ...

    @property
    def attempts(self) -> int: ...


def run_through(
    upload: Upload,
    *,
    lock: int,
    start: Callable[[], bool],
    work: Callable[[], None],
    fail: Callable[[str], None],
    logger: logging.Logger,
) -> bool:
    """Hold an upload for this worker and do what is left of its work; False when `start` found nothing to do.

    What the work refuses ends it by `fail`, with the reason. Raises `RunsElsewhere`, and whatever else may pass by
    itself (the database is away, the reader was killed) until it has been tried three times without getting on.
    """
    with alone(lock, upload.pk):
        if not start():
            return False
        try:
            work()
        except Overtaken:
            logger.warning("%r was taken over by another worker", upload)
        except Refused as refusal:
            fail(refusal.message)
        except Exception:
            if upload.attempts < MOST_ATTEMPTS:
                raise
            logger.exception("%r failed for good", upload)
            fail("读取或保存时反复出错，已停止")
    return True


def chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of so many."""
    waiting = iter(items)
    while chunk := list(itertools.islice(waiting, size)):
        yield chunk
