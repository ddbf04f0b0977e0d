"""The task that finds kind, cell, volume fraction and orientation of cubic membranes."""
