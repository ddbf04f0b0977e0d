"""Evaluation: measured against true periods, as figures, tables and a report."""
