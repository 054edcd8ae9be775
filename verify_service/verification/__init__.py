"""Decide what the facts of one agent and one scene support, and say it in plain words."""
