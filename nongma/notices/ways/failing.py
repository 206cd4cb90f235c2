class NotDelivered(Exception):
    """A message did not get through. `is_final`: another try would fare no better."""

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.is_final = is_final
