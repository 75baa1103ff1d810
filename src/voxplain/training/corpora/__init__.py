"""Corpora: one file each, with a CARD and ``read(root)``."""
