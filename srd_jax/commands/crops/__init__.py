"""What `srd predict` keeps of a run that is stopped."""
