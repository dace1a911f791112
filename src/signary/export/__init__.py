"""From a trained network to files that run elsewhere: bundles, ONNX, LiteRT and Kaggle submissions."""
