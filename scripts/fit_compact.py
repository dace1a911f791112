"""Write the packaged weights of the compact network from a run of a recipe of pictures.

They were trained by a copy of the recipe ``letters-cnn-modern`` with ``epochs: 12``, ``data: {side: 128, split: blocks,
validation: 0.1, test: 0.1}`` and three sources of pictures: asl-letters-photos/train,
asl-letters-photos-mirrored/photos and asl-letters-photos-several-hands. It was stopped in its eighth epoch.
"""

from __future__ import annotations

import sys

import numpy as np

from signary.training.videos.backbones import COMPACT, arrays_of, open_backbone

arrays = arrays_of(open_backbone("compact", sys.argv[1]))
halves = {name: value.astype(np.float16) if value.dtype == np.float32 else value for name, value in arrays.items()}
np.savez_compressed(COMPACT, **halves)
print(COMPACT, COMPACT.stat().st_size)
