"""Deterministic steps from points to numbers, as modules that travel inside a network's exported graph."""
