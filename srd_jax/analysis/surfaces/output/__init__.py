"""Writes fits of cubic membranes: the table and the report."""
