"""Draws scenes around grana: chloroplasts, cytoplasm and what else micrographs show."""
