"""Programs carried into guests: traffic, load, counters, records, echo."""
