"""How well a model reads: metrics, plots, reports and model cards."""
