"""Tools in processes of their own: the way in which a call is really ended."""
