"""附件1 with its faulty cells marked: the child of `nongma.lib.sheets.marking` for this form."""

from nongma.lib.sheets.marking import Form, mark_bounded
from nongma.origins.importing.form import find_layout

MODULE = "nongma.origins.importing.marking"
FORM = Form("采集表", find_layout, instead={"point": "longitude"}, doubts=frozenset(("needs-visit",)))

if __name__ == "__main__":
    mark_bounded(FORM)
