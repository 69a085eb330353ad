"""Answer files and seed media that provision the guests of a run."""
