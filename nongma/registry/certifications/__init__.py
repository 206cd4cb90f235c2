"""Certifications that operators hold (认证)."""
