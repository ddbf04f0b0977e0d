"""Tasks that networks are trained for, one package each."""
