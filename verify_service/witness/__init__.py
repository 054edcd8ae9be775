"""Watch logs from a host of one's own: cosign only what goes on from what was cosigned before (C2SP tlog-witness)."""
