"""Continuous fingerspelling, read phrase by phrase: points to tokens, live windows, sources to results."""
