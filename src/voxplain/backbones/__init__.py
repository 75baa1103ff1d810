"""Encoders: waveform to embedding. They bring torch along."""
