"""Change a registry step by step, with keys that are held apart: stage, sign, publish."""
