"""An experiment on any corpora and any encoder, from one recipe to one run folder."""
