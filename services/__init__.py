"""Floor 3: how other programs reach the record."""
