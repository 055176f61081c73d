"""Backups of a whole system: made, tried by themselves, and restored."""
