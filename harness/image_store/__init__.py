"""Base images: built from recipes, kept by content, checked at every use."""
