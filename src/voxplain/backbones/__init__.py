"""Encoders: waveform to embedding. What trains them brings torch along."""
