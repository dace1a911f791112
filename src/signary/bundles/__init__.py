"""Bundles: the files of trained models, and the models that come with the package."""
