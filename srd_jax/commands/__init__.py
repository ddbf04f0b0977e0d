"""Commands of the command line, one module each; `add(commands)` describes its arguments."""
