"""A guest: a machine with its operating system, its channels and its integration services."""
