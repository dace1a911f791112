"""The command line: one file per verb, results to stdout, progress and warnings to stderr."""
