"""Write the weights of the compact network that clips are read by, out of a run of a recipe of pictures.

They were learned with ``signary train letters-cnn-modern --data DATA --data.side 128 --data.validation 0.1`` on all
three sets of photos of letters.
"""

from __future__ import annotations

import sys

import numpy as np

from signary.training.backbones import COMPACT, arrays_of, open_backbone

arrays = arrays_of(open_backbone("compact", sys.argv[1]))
halves = {name: value.astype(np.float16) if value.dtype == np.float32 else value for name, value in arrays.items()}
np.savez_compressed(COMPACT, **halves)
print(COMPACT, COMPACT.stat().st_size)
