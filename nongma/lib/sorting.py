"""Lists that a person sorts by clicking a column: which columns may be sorted, and by which the list is now."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Sorting:
    """The order of a list: `columns` maps the name in the address to the fields, `chosen` is `name` or `-name`."""

    columns: Mapping[str, tuple[str, ...]]
    chosen: str

    @classmethod
    def asked(cls, columns: Mapping[str, tuple[str, ...]], text: str | None, *, default: str) -> "Sorting":
        """What the address asks for; the default for anything that is no column."""
        known = text is not None and text.removeprefix("-") in columns
        return cls(columns, text if known and text is not None else default)

    @property
    def fields(self) -> list[str]:
        """For `order_by`."""
        fields = self.columns[self.chosen.removeprefix("-")]
        if not self.chosen.startswith("-"):
            return list(fields)
        return [field.removeprefix("-") if field.startswith("-") else f"-{field}" for field in fields]

    @property
    def ascending(self) -> str:
        """The column that the list is sorted by from small to large, or an empty text."""
        return "" if self.chosen.startswith("-") else self.chosen

    @property
    def descending(self) -> str:
        """The column that the list is sorted by from large to small, or an empty text."""
        return self.chosen[1:] if self.chosen.startswith("-") else ""
