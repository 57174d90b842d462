"""What happened in a local Lambda: as text, as a picture, as a page."""
