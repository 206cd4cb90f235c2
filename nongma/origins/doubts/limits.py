"""From where on something is a doubt, and why there. What a county may want otherwise is a setting: docs/operate.md."""

COUNTY_METRES = 100.0
"""So far outside the county. The border is drawn with a vertex every 1.8 km, so a shorter way says nothing; beyond
2 km the point is refused (`regions.boundaries.TOLERANCE_METRES`)."""

TOWN_LEVEL = 13
"""Cells in which points of the own township are looked for first: 4 km wide, so that 2 km around are seen."""
TOWN_OWN_METRES = 2_000.0
TOWN_NEAR_METRES = 1_000.0
TOWN_NEAR_POINTS = 3
TOWN_TIMES = 5.0
"""A point is doubted when nothing of its own township is within 2 km, three points of another lie within 1 km, and
the own township is five times as far: one wrong point of a neighbour accuses nobody."""
TOWN_SAME_SPOT_METRES = 30.0
"""Records this near are the same place again (another product), and say nothing about where the township is."""

SPOT_LEVEL = 20
OTHER_METRES = 10.0
"""Nearer than a phone tells two places apart in the open (3 to 5 m each)."""
PILE_OPERATORS = 5
"""So many operators on one spot: a market, an office or a copied cell, no field."""

GRID_ROWS = 5
"""So many rows one after the other with the same step: by chance one in 10^10."""
COLUMN_CONTACT_ROWS = 5
COLUMN_PHONE_ROWS = 5
COLUMN_SCALE_ROWS = 10
"""Neighbouring households do grow the same round area; ten in a row hardly."""
COLUMN_DAYS_ROWS = 30
"""Fields of one village go on sale together, so days say something only over many rows and more than one product."""
COLUMN_DIGITS_ROWS = 5
SHEET_REACH = COLUMN_DAYS_ROWS
"""So many rows before and after a record are read of its sheet."""

SPEED_KMH = 120.0
SPEED_METRES = 2_000.0
SPEED_HOURS = 2
"""Faster than any road between two fields at least 2 km apart, within two hours."""

SCALE_RECORDS = 30
"""Fewer records have no middle to speak of; then the city's are taken; where those are few too, nothing is said."""
SCALE_DEVIATIONS = 4.0
SCALE_LEAST_SPREAD = 0.25
"""Where nearly all are the same size, a quarter (of the logarithm) still counts as the usual spread."""
SEASON_LONGEST_DAYS = 330
"""Longest time on the market of one 茬; what is sold all year is more than one."""
SEASON_SHARE = 0.01
"""A month (with its neighbours) in which fewer go on sale is out of the season."""

SHIFT_METRES = 15.0
"""How near a point, shifted back, comes to the earlier one. The shift itself is 300 to 700 m."""

AREA_INSIDE_METRES = 300.0
"""So far inside a lake or a built-up area: public layers are drawn to a few hundred metres."""

LOOK_FEWEST_BITS = 8
"""A difference hash with fewer bits set, or unset, is of a picture without features (sky, a hand before the lens)."""
