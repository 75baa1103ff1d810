"""Probing studies: what a speech encoder knows of a voice, and what of it tells the emotion."""
