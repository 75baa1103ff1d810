"""Spoken accounts of clips, collected from people who agreed to it: asked, kept, exported."""
