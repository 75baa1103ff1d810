"""The workshop: corpora, splits, training, metrics. Nothing on the way of inference imports it."""
