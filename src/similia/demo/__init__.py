"""A tour that needs nothing but this machine: the documentation of the installed packages, searched."""
