"""The formats of disk images, by their first bytes and by what their headers state."""
