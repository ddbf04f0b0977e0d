"""What commands that read whole micrographs have in common: scale, detector, plan."""
