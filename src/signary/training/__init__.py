"""Recipes and how they are trained."""

from signary.privacy import keep_caches_apart

keep_caches_apart()  # before Lightning's metrics import matplotlib
