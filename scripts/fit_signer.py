"""Average the upper body that carries the avatar's hand: python scripts/fit_signer.py --data DATA.

Mean face and body of the signers of Google's Isolated Sign Language Recognition clips (CC BY 4.0), in shoulder
widths from the middle of the shoulders. The unknown aspect of the pictures is estimated from the face: in MediaPipe's
canonical face the outer corners of the eyes are 0.503 of its height apart.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signary.landmarks.files import read_landmarks
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import FACE, HOLISTIC_543, POSE
from signary.output import whole_file

SIGNER = Path(__file__).parents[1] / "src/signary/avatar/signer.npz"
EYES_TO_HEIGHT = 0.503
SHOULDERS = (POSE.start + 11, POSE.start + 12)
NOSE_TIP = 1


def main() -> None:
    """Average and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="../shared/data", type=Path)
    parser.add_argument("-o", "--output", default=SIGNER, type=Path)
    options = parser.parse_args()
    clips = sorted((options.data / "gislr-two-signs/kaggle/train_landmark_files").rglob("*.parquet"))
    bodies = np.stack([mean_body(read_landmarks(clip)) for clip in clips])
    body = np.nanmedian(bodies, 0)
    body = (body + mirrored(body)) / 2
    with whole_file(options.output, force=True) as draft:
        np.savez_compressed(draft, face=body[FACE].astype(np.float16), pose=body[POSE].astype(np.float16))
    print(f"{options.output}: {len(clips)} signers")


def mean_body(clip: LandmarkSequence) -> NDArray[np.float32]:
    """Return a clip's mean points (543, 3) in shoulder widths from the middle of the shoulders."""
    points = clip.points[np.isfinite(clip.points[:, [*SHOULDERS, 10, 152]]).all((1, 2))]
    body = np.nanmedian(points, 0)
    eyes = np.ptp(body[[33, 263], 0])
    height = body[152, 1] - body[10, 1]
    body = body * [1, eyes / EYES_TO_HEIGHT / height, 1]
    left, right = body[list(SHOULDERS)]
    width = np.linalg.norm((left - right)[:2])
    body = (body - (left + right) / 2) / width
    face_at = body[FACE][NOSE_TIP] - body[POSE.start]
    body[FACE, 2] -= face_at[2]
    return np.asarray(body, np.float32)


def mirrored(body: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mirror image of centered points."""
    return body[list(HOLISTIC_543.mirror)] * np.array([-1, 1, 1], np.float32)


if __name__ == "__main__":
    main()
