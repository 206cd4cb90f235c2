"""The one way in which a use-case says no."""


class Refused(Exception):
    """A rule of the trade forbids it. `code` is stable, `message` is what the person reads (Chinese).

    `field` names the input that is at fault, when one is. The API answers 409: it is the state of the
    records that stands against it. A form shows it beside the field.
    """

    def __init__(self, code: str, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.field = field


class Misfilled(Refused):
    """An input is wrong in itself, whatever is on file: empty, too long, not a phone number. The API answers 422."""
