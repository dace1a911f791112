"""Synthetic fingerspelling: clips of landmarks generated from text."""
