"""The lamellae of a granum one by one: traced, counted and drawn."""
