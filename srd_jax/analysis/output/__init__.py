"""What an analysis of micrographs writes: records, tables, labels, outlines."""
