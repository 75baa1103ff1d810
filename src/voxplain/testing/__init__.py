"""For those who add a plug-in: checks of its contract. Nothing in the package uses them."""
