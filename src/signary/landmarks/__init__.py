"""Points of hands, body and face: skeletons, sequences, detection, repair, files, drawing."""
