"""Pictures of micrographs and grana, plots, and the page that shows them."""
