"""Names of surfaces and of what pictures of them are made from; imported without JAX."""

KINDS = ("G", "D", "P", "I-WP", "L")
CUBIC = ("G", "D", "P", "I-WP")

# Of the grey values of a projection.
MODES = ("linear", "logarithmic", "beer-lambert")

# Parameters of a picture that may be given, in this order; others are drawn. Lengths are in nm,
# angles in degrees.
PARAMETERS = ("a", "phi", "wall", "thickness", "nm-per-px", "in-plane")
