"""Audio: read, heard and cut into stretches of speech."""
