"""Models held against corpora: figures, robustness, fairness, and reports of them."""
