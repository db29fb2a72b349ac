"""The programme: its yearly cycle, criteria, dossiers, councils and certificates."""
