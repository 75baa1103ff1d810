"""Measuring instruments: ours, and others that give their values under the same names.

One file each, with a ``CARD`` and ``Measurement(source, sampling_rate=, settings=, marked=)``,
which has ``duration`` (s), ``stretches`` (of speech), ``tracks`` and ``functionals(within=)``.
"""
