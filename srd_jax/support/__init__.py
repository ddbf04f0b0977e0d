"""What every part uses and nothing of the domain: errors, fields, files, pages, compiling."""
