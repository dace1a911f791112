"""A window with the mirrored picture of a camera."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from signary.errors import InputError
from signary.landmarks.draw import Image, draw_label, draw_landmarks
from signary.landmarks.sequence import Points
from signary.lifetime import Lifetime

# in a separate process: without a display some toolkits end the process
PROBE = "import cv2; cv2.namedWindow('signary'); cv2.waitKey(1); cv2.destroyAllWindows()"
PROBE_S = 30
ESCAPE = 27


def check_display() -> None:
    """Refuse to continue if no window can be opened.

    Raises
    ------
    InputError
        If there is no display, or OpenCV was built without windows.
    """
    try:
        asked = subprocess.run([sys.executable, "-c", PROBE], capture_output=True, timeout=PROBE_S, check=False)
        opened = asked.returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        opened = False
    if not opened:
        hint = "leave --show out; `signary serve` reads the camera in a browser; over SSH, ssh -X forwards the display"
        raise InputError("--show: no window can be opened here", hint=hint)


def mirrored_view(image: Image, points: Points | None, text: str) -> Image:
    """Return a mirrored picture uint8 (H, W, 3) with skeleton and caption.

    Parameters
    ----------
    image : uint8 (H, W, 3)
        RGB, not mirrored.
    points : float32 (543, 3), optional
    text : str
        Of a long text, the end is shown.
    """
    seen = image if points is None else draw_landmarks(image, points)
    letters = max(8, image.shape[1] // 20)
    return draw_label(np.ascontiguousarray(seen[:, ::-1]), text[-letters:])


class PictureWindow(Lifetime):
    """An open window; a context manager.

    Raises
    ------
    InputError
        If no window can be opened.
    """

    title = "Signary"

    def __init__(self) -> None:
        check_display()

    def show(self, image: Image) -> str:
        """Show a picture uint8 (H, W, 3), RGB; return the key pressed, or "". Escape and closing count as ``"q"``."""
        import cv2

        cv2.imshow(self.title, image[..., ::-1])
        code = cv2.waitKey(1) & 0xFF
        closed = cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE) < 1
        return "q" if closed or code == ESCAPE else "" if code == 0xFF else chr(code).lower()

    def close(self) -> None:
        """Close the window."""
        import cv2

        cv2.destroyAllWindows()
