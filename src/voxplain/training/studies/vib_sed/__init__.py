"""VIB-Emo in versions: what each part is worth, what its latents know, and whether it follows."""
