"""Reads annotated micrographs: JSON, CVAT for Images, COCO, label images."""
