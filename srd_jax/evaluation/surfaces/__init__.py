"""Fits of cubic membranes against known parameters."""
