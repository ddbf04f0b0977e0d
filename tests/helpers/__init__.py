"""Helpers that several tests share: small runs, drawn crops, files, the command line."""
