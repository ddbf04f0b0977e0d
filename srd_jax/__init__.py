"""Stacking repeat distance of chloroplast grana on electron micrographs, measured by JAX."""
