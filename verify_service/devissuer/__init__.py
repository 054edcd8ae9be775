"""Issue tokens on loopback, so that a demo and a developer need no identity provider."""
