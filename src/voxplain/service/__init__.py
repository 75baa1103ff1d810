"""The service: the same calls over the network."""
