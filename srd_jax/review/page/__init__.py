"""The page of the review app: static files without a build step, which the server hands out."""
