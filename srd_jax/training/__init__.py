"""Training of any task: steps, checkpoints, hand-over, metrics, the end of a run."""
