"""Random changes of training data that keep its meaning."""
