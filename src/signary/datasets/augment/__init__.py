"""Augmentation: random changes of training data that keep its label."""
