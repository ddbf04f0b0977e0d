"""Stages of training in order, each from the one before, and one report of all."""
