"""A grid: one experiment in many versions, and what each part of it is worth."""
