"""Reading spreadsheets that anybody may have made: .xlsx, .xls and .csv, as rows of plain cells.

`opening` says what a file is and refuses what is not a sheet, `reading` gives its rows, `bounded` runs a reader in a
process of its own that may not take more memory or time than it is given.
"""
