"""Say who may do what, and write down who looked at what."""
