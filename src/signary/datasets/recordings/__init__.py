"""Clips that people film of themselves."""
