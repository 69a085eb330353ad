"""Oracles: what proves that something holds, and what proves that the proof can be trusted."""
