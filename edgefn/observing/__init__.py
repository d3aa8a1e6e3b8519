"""Watching a dispatcher: counters, histograms and spans. Nothing leaves the device by itself."""
