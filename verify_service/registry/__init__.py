"""Hold the signed agency registry: identifiers, profiles, rosters and the edition an answer quotes."""
