"""Reading, checking, showing and changing the configuration."""
