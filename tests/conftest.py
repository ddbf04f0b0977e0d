import jax

# (B,) against (B, 1) must not broadcast to (B, B) anywhere.
jax.config.update("jax_numpy_rank_promotion", "raise")
# Accelerators multiply float32 in fewer bits by default; the tests compare with float64.
jax.config.update("jax_default_matmul_precision", "highest")
