"""Base images: built from recipes, stored by content, verified at every use."""
