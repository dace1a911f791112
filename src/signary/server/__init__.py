"""The local web server: recordings and live pictures in, text out."""
