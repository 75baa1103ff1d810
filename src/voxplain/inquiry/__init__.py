"""Inquiry: a language model asks our tools about a recording, and may say what they found."""
