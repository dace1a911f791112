"""The rooms of the package: what each holds and may import. The picture in docs/architecture.md is drawn from it."""

from __future__ import annotations

from typing import NamedTuple


class Room(NamedTuple):
    """A folder of the package.

    Parameters
    ----------
    holds : str
    uses : set of str
        Rooms that it may import; all may import the ground.
    """

    holds: str
    uses: set[str]


GROUND = {
    "errors": set(),
    "output": {"errors"},
    "address": {"errors"},
    "digest": set(),
    "graph": {"errors", "privacy", "jobs"},
    "jobs": {"errors"},
    "lifetime": set(),
    "privacy": set(),
    "ranges": {"errors"},
}
ROOMS = {
    "video": Room("any source of pictures to frames", set()),
    "landmarks": Room("frames to points", {"video"}),
    "features": Room("points to numbers, in the network's graph", {"landmarks"}),
    "models": Room("numbers to logits", {"features"}),
    "text": Room("logits to letters and words", set()),
    "avatar": Room("text to a hand that spells", {"video", "landmarks"}),
    "bundles": Room("a trained model as files", {"text"}),
    "export": Room("networks to graphs", {"landmarks", "features", "models", "bundles"}),
    "recognition": Room("bundles at work", {"video", "landmarks", "text", "bundles"}),
    "datasets": Room("what is learned from", {"video", "landmarks", "avatar", "text", "features"}),
    "evaluation": Room("how well a model reads", {"video", "landmarks", "text", "datasets", "bundles", "recognition"}),
    "training": Room(
        "recipes to runs with bundles",
        {
            *("video", "landmarks", "text", "features", "models", "datasets", "bundles", "export"),
            *("recognition", "evaluation"),
        },
    ),
    "server": Room("the web page's answers", {"video", "landmarks", "text", "avatar", "bundles", "recognition"}),
    "cli": Room(
        "one file a verb",
        {
            "video",
            "landmarks",
            "text",
            "avatar",
            "bundles",
            "recognition",
            "datasets",
            "evaluation",
            "training",
            "server",
        },
    ),
}
DOORS = ("server", "cli")
ALLOWED = GROUND | {name: set(GROUND) | room.uses for name, room in ROOMS.items()}


def picture(rooms: dict[str, Room]) -> str:
    """Draw rooms as a Mermaid flowchart: an arrow from each room to those that build on it, but for detours."""

    def below(name: str) -> set[str]:
        return rooms[name].uses.union(*(below(used) for used in rooms[name].uses))

    boxes = [f'  {name}["{name}<br/><small>{room.holds}</small>"]' for name, room in rooms.items()]
    arrows = [
        f"  {used} --> {name}"
        for name, room in rooms.items()
        for used in rooms
        if used in room.uses and not any(used in below(other) for other in room.uses)
    ]
    return "\n".join(["```mermaid", "flowchart LR", *boxes, *arrows, "```"])
