"""Photos, videos and cameras on a network: http, https, rtsp and rtsps.

Only the address that the user gave is requested. Nothing in an answer makes Signary request or open anything else:
redirects must stay on the same server, playlists are refused, and cookies are not kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from signary.address import is_live_address, read_address, shown_address
from signary.errors import InputError
from signary.video.kinds import HEAD_BYTES, LIST_SIGNATURE, MAX_PHOTO_BYTES, PHOTO_SIGNATURE
from signary.video.pipe import put_back

if TYPE_CHECKING:
    from signary.address import Address
    from signary.video.animation import Animation
    from signary.video.camera import Capture
    from signary.video.memory import Pictures
    from signary.video.network.download import Download, NetworkVideo
    from signary.video.network.line import Patience, Stop
    from signary.video.network.live import LiveStream
    from signary.video.network.request import Answer

MAX_KEPT_BYTES = 2 * 2**30  # of an MP4 with its index at the end
PAGES = ("text/html", "application/xhtml+xml")
LIVE_KIND = "multipart/x-mixed-replace"
FOUND = (200, 203)


def open_network(address: str, *, patience: Patience | None = None) -> Animation | Pictures | NetworkVideo | LiveStream:
    """Open the photo, video or live camera (motion JPEG over HTTP, RTSP) at an address.

    Parameters
    ----------
    address : str
        ``http://``, ``https://``, ``rtsp://`` or ``rtsps://``; its user and password are sent to this server only.
    patience : Patience, optional

    Returns
    -------
    FrameSource
        Its name is the address without secrets. Any thread may close it.

    Raises
    ------
    InputError
        If no answer comes in time, it is not pictures, or it refers to other addresses.
    """
    from signary.video.network.line import PATIENCE, Stop

    place, name, stop, patience = read_address(address), shown_address(address), Stop(), patience or PATIENCE
    if is_live_address(address):
        from signary.video.network.live import LiveStream
        from signary.video.network.rtsp import RtspCapture

        return LiveStream(lambda: RtspCapture(place, name, stop, patience), name, stop, patience)
    from signary.video.network.request import LOST, get, lost

    try:
        answer = get(place, name, stop, patience)
    except LOST as error:
        raise lost(error, name) from None
    try:
        _check(answer, name, has_password=place.user is not None)
        if answer.kind == LIVE_KIND:
            return _live(answer, place, name, stop, patience)
        return _file(answer, place, name, stop, patience)
    except BaseException:
        answer.close()
        raise


def _check(answer: Answer, name: str, *, has_password: bool = False) -> None:
    from signary.video.network.request import refusal

    if answer.status not in FOUND:
        raise refusal(answer, name, has_password=has_password)
    if answer.header("Content-Encoding").lower() not in ("", "identity"):
        raise InputError(f"{name}: answers with compressed data, which was not asked for", hint="save it as a file")
    if answer.kind in PAGES:
        raise _page(name)
    if answer.length == 0:
        raise _empty(name)


def _page(name: str) -> InputError:
    hint = "give the address of the picture or video itself, or log in and save it as a file"
    return InputError(f"{name}: answers with a web page, no picture", hint=hint)


def _empty(name: str) -> InputError:
    return InputError(f"{name}: empty, nothing came", hint="check the address")


def _live(answer: Answer, place: Address, name: str, stop: Stop, patience: Patience) -> LiveStream:
    from signary.video.network.live import LiveStream
    from signary.video.network.motion_jpeg import MotionJpeg
    from signary.video.network.request import get

    answers = [answer]

    def open_capture() -> Capture:
        new = answers.pop() if answers else get(place, name, stop, patience)
        try:
            if new.status >= 500:  # a camera that restarts
                raise OSError(f"it answers {new.reason}")
            _check(new, name)
            return MotionJpeg(new, name)
        except BaseException:
            new.close()
            raise

    return LiveStream(open_capture, name, stop, patience)


def _file(
    answer: Answer, place: Address, name: str, stop: Stop, patience: Patience
) -> Animation | Pictures | NetworkVideo:
    from signary.video.network.download import Download

    download = Download(place, name, answer, stop, patience)
    try:
        head = download.read(HEAD_BYTES)
        download.begin()
        _check_head(head, name)
        if PHOTO_SIGNATURE.match(head):
            return _photo(head, download, name)
        return _video(head, download, name, stop)
    except BaseException:
        download.close()
        raise


def _check_head(head: bytes, name: str) -> None:
    if not head:
        raise _empty(name)
    if not (found := LIST_SIGNATURE.match(head)):
        return
    if found[0].endswith(b"<") and b"<?xml" not in head and b"<MPD" not in head:
        raise _page(name)
    hint = "give the address of the video itself that it names"
    raise InputError(f"{name}: a playlist, which names other addresses, no video", hint=hint)


def _photo(head: bytes, download: Download, name: str) -> Animation | Pictures:
    from signary.video.binary import open_photo

    if download.length is None or download.length <= MAX_PHOTO_BYTES:
        data = head + download.read(MAX_PHOTO_BYTES + 1 - len(head))
        download.close()
        if download.cut:
            raise InputError(f"{name}: photo {download.cut}", hint="try again")
        if len(data) <= MAX_PHOTO_BYTES:
            return open_photo(data, name)
    raise InputError(f"{name}: a photo of more than {MAX_PHOTO_BYTES // 2**20} MiB", hint="shrink it first")


def _video(head: bytes, download: Download, name: str, stop: Stop) -> NetworkVideo:
    from signary.video.decode import VideoDecoder
    from signary.video.network.download import NetworkVideo

    source: Any = download
    file = put_back(head, source, name=name, most=MAX_KEPT_BYTES, size=download.length)
    try:
        return NetworkVideo(VideoDecoder(file, name=name), download, file, stop)
    except BaseException as error:
        if hasattr(file, "close"):
            file.close()
        if isinstance(error, InputError) and download.cut:
            raise InputError(f"{name}: {download.cut}", hint="try again") from None
        raise
