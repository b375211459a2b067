"""Measurements: ours and the peers interleaved in one process run; the ratio is what counts."""
