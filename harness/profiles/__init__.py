"""Guest profiles and the feature catalogue: data files, checked."""
