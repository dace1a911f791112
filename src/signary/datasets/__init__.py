"""Training data: readers, stores, splits, augmentation, synthetic spelling and recordings."""
