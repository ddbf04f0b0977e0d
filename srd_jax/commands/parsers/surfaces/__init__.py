"""The arguments of the subcommands of `srd surfaces`."""
