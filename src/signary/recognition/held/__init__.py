"""Letters and digits that are held, read from single frames: points to tokens, live windows, sources to results."""
