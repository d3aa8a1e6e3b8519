"""Running tools: in time, as often as allowed, and never twice. Nothing else knows threads and event loops."""
