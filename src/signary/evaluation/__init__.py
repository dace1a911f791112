"""How well a model reads: metrics, plots and reports."""
