"""Isolated signs, read from windows of frames: points to tokens, live windows, sources to results."""
