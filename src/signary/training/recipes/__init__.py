"""Recipes: what can be said of each kind of training, and how they are loaded."""
