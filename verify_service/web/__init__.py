"""Speak HTTP: the API under /v1, problem documents, callers' tokens and the few public pages."""
