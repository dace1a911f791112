"""Training data on disk: stores of landmarks and of video features."""
