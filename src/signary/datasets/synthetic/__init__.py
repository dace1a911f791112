"""Fingerspelling that nobody spelled: clips of landmarks made from text."""
