"""How each data set that has a form of its own is read, by family."""
