"""The command line: one file a verb, results to stdout, progress and warnings to stderr."""
