"""Until when a record is to be reviewed, or corrected (审核、改正期限). Source: 农质安（溯）函〔2023〕72号, 六(三):
采集期间要及时审核；限期内未修改完成的，纳入绩效考核范围.

A deadline is written into the record when it comes to whoever it waits for; what a division sets later holds for what
comes later. Days are those of the calendar.
"""

from collections.abc import Iterable
from datetime import date, timedelta

from django.utils import timezone

from nongma.origins.due.terms import terms_of
from nongma.origins.models import Origin
from nongma.regions.spans import WIDTHS

State = Origin.State


def deadlines(codes: Iterable[int], state: str) -> dict[int, date | None]:
    """The deadline that begins today for records in a state, by division code; None where nothing waits for anybody."""
    wanted = set(codes)
    if state not in (State.SUBMITTED, State.RETURNED):
        return dict.fromkeys(wanted)
    counties = {code: code - code % WIDTHS[3] for code in wanted}
    terms = terms_of(counties.values())
    today = timezone.localdate()
    return {
        code: today
        + timedelta(days=terms[county].review_days if state == State.SUBMITTED else terms[county].correct_days)
        for code, county in counties.items()
    }


def deadline_of(origin: Origin) -> date | None:
    """The deadline of one record that has just come into its state."""
    return deadlines([origin.region_id], origin.state)[origin.region_id]
