"""Floor 1: the record. Tables and rules by subject, the store, import of files, the demonstration province."""
