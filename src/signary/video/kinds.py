"""Kinds of files: by ending and by first bytes, which take precedence."""

from __future__ import annotations

import re

PHOTO_ENDINGS = (
    *(".jpg", ".jpeg", ".png", ".apng", ".webp", ".bmp", ".tif", ".tiff", ".ppm"),
    *(".heic", ".heif", ".avif", ".jp2", ".j2k", ".jpx"),
)
VIDEO_ENDINGS = (
    *(".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".gif", ".3gp"),
    *(".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".ogv", ".mjpeg"),
)
LANDMARK_ENDINGS = (".parquet", ".npz")

HEAD_BYTES = 64
MAX_PHOTO_BYTES = 256 * 1024 * 1024

_HEIF = rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1|avi[fs])"
_JPEG_2000 = rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51"
PHOTO_SIGNATURE = re.compile(
    rb"\xff\xd8\xff|\x89PNG|RIFF....WEBP|GIF8|BM|II\*\0|MM\0\*|P[1-6]\s|" + _HEIF + rb"|" + _JPEG_2000, re.DOTALL
)
LANDMARK_SIGNATURE = re.compile(rb"PAR1|PK\x03\x04")
# Playlists, lists of parts, pages, session descriptions: FFmpeg would open the files they name.
LIST_SIGNATURE = re.compile(rb"(\xef\xbb\xbf)?\s*(#EXTM3U|ffconcat|\[playlist\]|\[Reference\]|<|v=0)", re.IGNORECASE)
