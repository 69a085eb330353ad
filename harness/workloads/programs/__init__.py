"""The programs: standalone, each with the standard library of its interpreter only."""
