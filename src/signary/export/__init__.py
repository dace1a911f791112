"""From a trained network to files that run elsewhere: ONNX graphs, and the proof that they compute the same."""
