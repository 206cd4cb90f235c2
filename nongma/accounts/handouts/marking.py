"""The hand-out's sheet with its faulty cells marked: the child of `nongma.lib.sheets.marking` for this form."""

from nongma.accounts.handouts.sheet import DIFFERS, TITLE, find_layout
from nongma.lib.sheets.marking import Form, mark_bounded

MODULE = "nongma.accounts.handouts.marking"
FORM = Form(TITLE, find_layout, doubts=frozenset((DIFFERS,)))

if __name__ == "__main__":
    mark_bounded(FORM)
