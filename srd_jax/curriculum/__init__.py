"""Trains stages in order, each from the one before, and reports on all of them."""
