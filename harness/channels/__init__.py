"""Channels into a guest: its agent and its serial console. Their output is untrusted."""
