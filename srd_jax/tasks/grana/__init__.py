"""The task that finds grana on micrographs: masks, outlines, direction and period."""
