"""Changes of agencies, accounts and posts take turns: they are rare and short, and lock each other's rows in any order.

Who reads, signs in or works waits for nobody (docs/adr/0019).
"""

from nongma.lib.locks import take_turn

ACCOUNTS = 0x6163_636F


def wait_for_turn() -> None:
    """Called first in each change, before any row is locked; the turn ends with the transaction."""
    take_turn(ACCOUNTS, "accounts")
