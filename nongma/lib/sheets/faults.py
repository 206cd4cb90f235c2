"""What is wrong in the cells of an uploaded sheet, as every form tells it."""

from typing import NamedTuple


class Fault(NamedTuple):
    """What is wrong in one cell, with the cell as it was read (what tells of a person masked)."""

    field: str
    code: str
    message: str
    value: str = ""
