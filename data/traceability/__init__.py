"""Traceability: lots and, with them, where goods come from and where they went."""
