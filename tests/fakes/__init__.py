"""Fakes, named so, which pass the same contract tests as the real things."""
