"""Keep the Merkle logs of record commitments and prove what stands in them."""
