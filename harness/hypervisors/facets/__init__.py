"""Facets: features of some hypervisors beyond the contract in `base`; one topic for each module."""
