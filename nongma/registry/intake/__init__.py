"""Operators loaded in bulk from a county's sheet (批量登记主体): preview, confirm, load, take back."""
