"""Connections that make machines: the contract in `base`, and one folder or module each."""
