"""Guest profiles and the feature catalogue: validated data files."""
