"""Claiming what an import put on file (认领): at once by a proved phone, else with the county's look at it."""
