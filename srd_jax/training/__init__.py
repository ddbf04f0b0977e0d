"""Trains any task: steps, checkpoints, hand-over of parameters, metrics, the end of a run."""
