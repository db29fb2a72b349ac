"""Floor 2: what of the record is published, to whom, under which name, fields and style."""
