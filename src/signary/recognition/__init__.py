"""Bundles at work: files and streams in, text with times and confidence out. No torch."""
