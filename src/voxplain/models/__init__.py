"""Models: from what is heard to what may be said."""
