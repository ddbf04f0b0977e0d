"""From a micrograph to a table: grana found, turned, measured and counted."""
