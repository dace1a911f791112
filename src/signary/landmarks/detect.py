"""Open a landmark detector by name."""

from __future__ import annotations

from signary.errors import InputError
from signary.landmarks.detector import Detector, check_max_hands

ENGINES = ("hands", "holistic")


def open_detector(
    engine: str = "hands", *, still: bool = False, max_hands: int = 2, mirrored: bool = False
) -> Detector:
    """Open a detector by name.

    Parameters
    ----------
    engine : {"hands", "holistic"}
        Hands only (fast), or hands, body and face.
    still : bool
        Frames are unrelated photos: no tracking. Hands only: if no hand is found, further views of the photo are
        tried (`signary.landmarks.looks`).
    max_hands : int
        1 or 2: at most so many hands, those nearest the center of the picture (Hands only).
    mirrored : bool
        The pictures are mirror images, as from a selfie camera.

    Raises
    ------
    InputError
        If there is no such engine or number of hands.
    """
    if engine not in ENGINES:
        raise InputError(f"{engine!r}: no such detector", hint=f"known: {', '.join(ENGINES)}")
    check_max_hands(max_hands)
    from signary.landmarks.mediapipe import HandsDetector, HolisticDetector

    if engine == "holistic":
        return HolisticDetector(still=still, mirrored=mirrored)
    return HandsDetector(still=still, max_hands=max_hands, mirrored=mirrored)
