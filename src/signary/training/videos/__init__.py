"""Training of readers of signs from the pictures of videos."""
