"""Networks: points or pictures in, logits out. No files, no cameras, no argument parsing."""
