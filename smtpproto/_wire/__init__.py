"""Octets without meaning: lines, dots, and what waits to be written. Both protocols share it."""
