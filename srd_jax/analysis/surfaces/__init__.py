"""Fits projections of cubic membranes to regions of micrographs."""

# Rows and columns of the smallest region; fewer hold no lattice that could be told.
LEAST_PX = 32
