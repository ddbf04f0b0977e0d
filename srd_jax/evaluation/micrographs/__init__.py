"""Compares the grana that are found on micrographs with annotated or drawn ones."""
