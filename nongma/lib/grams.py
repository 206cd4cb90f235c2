"""Finding a name by any part of it without an extension: pairs of characters in a GIN index.

The function `name_grams` is made by a migration of `accounts`, the lowest room that finds things so.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Func


class NameGrams(Func):
    """The pairs of characters in a name, the first after a `^`."""

    function = "name_grams"
    output_field = ArrayField(models.TextField())


def grams_of(text: str) -> list[str]:
    """The pairs that a name holding the text must have; a single character must begin it, as a surname does."""
    return [text[place : place + 2] for place in range(len(text) - 1)] or [f"^{text}"]
