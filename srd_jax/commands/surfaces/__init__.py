"""Subcommands of `srd surfaces`, one module each."""
