"""Commands, one module each; `add(commands)` adds a command to the command line."""
