"""What tests of the whole platform share."""

from tests.access_world import world

__all__ = ["world"]
