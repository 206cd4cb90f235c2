"""Notices to put a record right by a day (督促整改): sent, answered, accepted or sent back, prompted when overdue."""
