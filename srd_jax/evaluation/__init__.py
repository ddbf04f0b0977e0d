"""Compares measured with true periods: numbers, tables, plots and a report."""
