"""What runs in a browser: `parts` that any page may use, and the page that the server serves."""
