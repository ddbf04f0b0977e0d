"""Processes of limited memory and time, in which files are decoded and pictures drawn."""
