"""Measures the period of crops: methods, files, results, overlays."""
