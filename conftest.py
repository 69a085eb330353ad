"""Loads the options and the hooks of guestcert; the fixtures of cases are in suites/conftest.py."""

pytest_plugins = ["harness.plugin"]
