"""Nongma (农码): one code from field to table."""
