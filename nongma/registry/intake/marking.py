"""The sheet of a load with its faulty cells marked: the child of `nongma.lib.sheets.marking` for this form."""

from nongma.lib.sheets.marking import Form, mark_bounded
from nongma.registry.intake.sheet import TITLE, find_layout
from nongma.registry.intake.words import DOUBTS

MODULE = "nongma.registry.intake.marking"
INSTEAD = {"longitude": "point", "point": "longitude", "county": "town", "village": "town"}
FORM = Form(TITLE, find_layout, instead=INSTEAD, doubts=DOUBTS)

if __name__ == "__main__":
    mark_bounded(FORM)
