"""Planted defects: for each case, what a guest or a hypervisor does that the case must catch."""
