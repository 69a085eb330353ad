"""The guest OS interface: a topic a module, with each system's implementation side by side."""
