"""Work shared out among processes or machines, and ended with them."""
