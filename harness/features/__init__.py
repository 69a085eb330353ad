"""The features that guestcert verifies, and the tiers of a run."""
