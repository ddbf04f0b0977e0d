"""Images as they come: formats, pixel sizes, crops, masks, datasets, frames."""

# Rows and columns of the frame that the network reads, and most rows of a crop that one shows.
FRAME = (476, 476)
MAX_ROWS = 300

# Nothing shorter can be seen in an image (sampling theorem).
SHORTEST_PERIOD_PX = 2.0

# A granum with fewer layers has no repeat distance.
LEAST_PERIODS = 2
