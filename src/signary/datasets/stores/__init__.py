"""Data on disk, made to be trained from: stores of landmarks and of video features."""
