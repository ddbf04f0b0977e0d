"""Building blocks of networks, for any task."""
