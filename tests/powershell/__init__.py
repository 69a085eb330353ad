"""Reads PowerShell scripts by their syntax tree, and holds their calls against documentation."""
