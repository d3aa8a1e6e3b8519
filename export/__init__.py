"""edgefn."""
