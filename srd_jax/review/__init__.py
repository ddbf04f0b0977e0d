"""The review of an analysis in the browser."""
