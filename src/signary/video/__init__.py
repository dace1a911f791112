"""Sources of pictures: files, folders, globs, stdin, addresses, cameras, arrays."""
