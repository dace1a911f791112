"""Training of readers of fingerspelling."""
