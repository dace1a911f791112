"""Labels, letters and words with times: vocabularies, decoding, results and their file formats. NumPy only."""
