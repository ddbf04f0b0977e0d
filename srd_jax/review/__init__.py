"""The review app: a person looks at every granum in the browser, mends it, accepts or rejects it."""
