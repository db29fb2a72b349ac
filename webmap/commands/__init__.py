"""The commands of `ocopmap`, by subject."""
