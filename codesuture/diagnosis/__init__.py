"""From a frame and an instruction to a named crash. Importing this package imports nothing."""
