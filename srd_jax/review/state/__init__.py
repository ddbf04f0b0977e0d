"""The state of a review: what persons decided, in an append-only log, and what follows."""
