"""The study of semantic roles, a file for each of its parts."""
