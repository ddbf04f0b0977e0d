"""Draws projections of cubic membranes: triply periodic surfaces, as microscopes show them."""
