"""Fits projections of cubic membranes to regions of micrographs."""
