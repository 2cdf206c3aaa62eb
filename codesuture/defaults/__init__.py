"""Value recipes and the ladder that chooses one. Importing this package imports nothing."""
