"""What two people enter at the same moment goes in once."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from nongma.lib.refused import Refused


@contextmanager
def once(code: str, message: str, *, field: str = "") -> Iterator[None]:
    """Turn what a unique constraint keeps out into a refusal; the transaction around goes on."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise Refused(code, message, field=field) from error
