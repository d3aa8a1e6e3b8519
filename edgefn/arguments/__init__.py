"""Text said by a person, read as typed values."""
