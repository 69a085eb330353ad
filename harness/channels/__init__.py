"""Ways into a guest: its agent and its serial console. What comes out of them is never trusted."""
