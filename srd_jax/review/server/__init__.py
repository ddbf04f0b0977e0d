"""The web server of the review app: security, uploads, tiles, jobs, events, downloads."""
