"""Loads the guestcert pytest plugin for every test below; nothing else belongs here."""

pytest_plugins = ["harness.plugin"]
