from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from signary.landmarks.face import CONTOURS, FACE_POINTS, face_mirror
from signary.landmarks.files import read_landmarks


def test_mirror_is_an_involution_with_28_points_on_the_midline():
    mirror = np.array(face_mirror())
    assert mirror[mirror].tolist() == list(range(FACE_POINTS))
    assert (mirror == np.arange(FACE_POINTS)).sum() == 28


def test_mirror_maps_lines_of_the_mesh_to_lines():
    mesh = pytest.importorskip("mediapipe.python.solutions.face_mesh_connections").FACEMESH_TESSELATION
    mirror = face_mirror()
    lines = {frozenset(line) for line in mesh}
    turned = {frozenset(mirror[point] for point in line) for line in lines}
    assert len(lines & turned) / len(lines) > 0.95  # the mesh's diagonals are not all symmetric


def test_contours_are_lines_of_the_mesh():
    mesh = pytest.importorskip("mediapipe.python.solutions.face_mesh_connections")
    lines = {frozenset(line) for line in mesh.FACEMESH_TESSELATION}
    drawn = {frozenset(pair) for contour in CONTOURS for pair in pairwise(contour)}
    nose = {frozenset((98, 2)), frozenset((2, 327))}  # across the nostrils, not along the mesh
    assert drawn - lines <= nose
    assert {frozenset(line) for line in mesh.FACEMESH_LIPS} <= drawn
    eyes = {frozenset(line) for line in mesh.FACEMESH_LEFT_EYE | mesh.FACEMESH_RIGHT_EYE}
    assert eyes <= drawn


def test_mirror_fits_real_faces(shared_data):
    files = sorted((shared_data / "gislr-two-signs/kaggle").glob("train_landmark_files/*/*.parquet"))[:6]
    faces = np.concatenate([read_landmarks(file).part("face") for file in files])
    faces = faces[np.isfinite(faces).all(axis=(1, 2))].astype(np.float64)
    shapes = (faces - faces.mean(axis=1, keepdims=True)) / np.ptp(faces[..., 1], axis=1)[:, None, None]
    shape = shapes.mean(axis=0)
    turned = shape[list(face_mirror())] * [-1, 1, 1]
    apart = np.linalg.norm((shape - turned)[:, :2], axis=1)
    assert np.median(apart) < 0.05  # of a face's height; heads are turned a little
