"""Tools added on the device: rows made by the encoder of the bundle, applied in numpy by the formula of the graph."""
