"""Parts of a folder that different machines work on: how they are chosen, described, joined."""
