"""Training of readers of isolated signs from landmarks."""
