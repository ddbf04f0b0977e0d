"""Images drawn on the device by pure functions of a key."""
