"""Ready tools that a device can use, each set with the sentences it is trained on."""
