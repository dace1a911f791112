"""Runs in a browser: parts shared by pages, and the page that the server serves."""
