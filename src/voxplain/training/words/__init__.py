"""Training of what listens to words."""
