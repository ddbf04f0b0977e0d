"""Micrographs as microscopes write them: formats, scales, burnt-in bars and strips."""
