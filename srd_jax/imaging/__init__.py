"""Images as they come: formats, pixel sizes, crops, masks, datasets, frames."""

# Rows and columns of the frame that the network reads, and most rows of a crop that one shows.
FRAME = (476, 476)
MAX_ROWS = 300
