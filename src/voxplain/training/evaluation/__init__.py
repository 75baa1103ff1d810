"""The figures of a model card, a file for each question."""
