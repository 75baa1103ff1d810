"""VIB-Emo: a network that speaks descriptors and an emotion (arXiv 2505.23236), from one recipe."""
