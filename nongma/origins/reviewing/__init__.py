"""What helps a reviewer to decide: a draw from many, what changed since last time (审核)."""
