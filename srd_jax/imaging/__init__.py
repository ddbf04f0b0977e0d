"""Images as they come: formats, pixel sizes, crops, masks, datasets, frames."""
