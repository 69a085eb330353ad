"""Connections that create machines: the contract in `base`, and one folder for each driver."""
