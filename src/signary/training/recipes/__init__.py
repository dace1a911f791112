"""Recipes: the fields of each kind of training, and their loading."""
