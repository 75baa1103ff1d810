"""Reports: one file a format, each with ``render``; nothing is decided here."""
