"""Policy: what each tool may do on this device and how it is run, as data; the dispatcher enforces it."""
