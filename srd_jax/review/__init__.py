"""The review app: a person looks at every granum in the browser, and accepts or mends it."""
