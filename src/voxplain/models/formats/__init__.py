"""Formats of model folders: one file each, with a CARD and ``load(folder)``."""
