"""Training of readers of whole pictures."""
