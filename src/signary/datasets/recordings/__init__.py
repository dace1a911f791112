"""Clips that people record of themselves."""
