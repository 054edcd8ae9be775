"""Verify whether a claimed law-enforcement agent can be tied to an agency, and keep the answer as evidence."""

__version__ = "0.1.0"
