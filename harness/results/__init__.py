"""Outcomes of cases, verdicts on features, certificates of guests, and the record of a run."""
