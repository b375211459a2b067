"""What is known about each data set, by kind."""
