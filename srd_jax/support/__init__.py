"""Tools without any domain: errors, config fields, files, terminal, HTML pages, compiling."""
