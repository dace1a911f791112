"""Data to learn from: readers, splits, augmentation."""
