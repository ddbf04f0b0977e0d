"""Arguments of the commands, one module each; they import nothing heavy, for a quick --help."""
