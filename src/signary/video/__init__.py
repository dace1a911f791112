"""Any source of pictures through one door: files, folders, globs, stdin, cameras, arrays."""
