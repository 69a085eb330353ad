"""The word lint: names and prose of the project use the field's terms."""
