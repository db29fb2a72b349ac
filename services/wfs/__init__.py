"""The Web Feature Service in its versions 1.0, 1.1 and 2.0 (OGC 02-058, 04-094, 09-025r2)."""
