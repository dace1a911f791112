"""Training of readers of handshapes from landmarks."""
