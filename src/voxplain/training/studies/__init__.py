"""The study beyond saliency, a file for each of its parts."""
