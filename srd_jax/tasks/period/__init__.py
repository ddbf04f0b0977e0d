"""The period of the lamellae in the crop of a granum, with its uncertainty."""
