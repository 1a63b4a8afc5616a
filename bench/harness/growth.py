# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""growth: the port alone, with more queues, sockets, bytes, and packets in a burst."""

from .contenders import Counter, Role
from .traffic import Flow, Scenario

MTU = 1500
FLAT = 1.15


class Point:
    """A place on one of the axes: one role of the port, and the rest as it is by default."""

    def __init__(self, role, axis, value):
        self.role = role
        self.axis = axis
        self.value = value
        self.queues = value if axis == "queues" else 1
        self.sockets = value if axis == "sockets" else 1
        self.size = value if axis == "size" else None
        self.burst = value if axis == "burst" else 64
        self.name = f"{role}-{axis}-{value}"
        unit = {"queues": "queues", "sockets": "sockets, each of an interface", "size": "bytes",
                "burst": "in a burst"}[axis]
        self.title = f"{role}, {value} {unit}"

    def missing(self, _world):
        return None


AXES = {"queues": (1, 2, 4, 8), "sockets": (1, 4, 16, 64), "size": (64, 512, 1500, 9000),
        "burst": (1, 4, 16, 64, 256)}

QUICK_AXES = {"queues": (1, 8), "sockets": (1, 16), "size": (9000,), "burst": (256,)}


class Growth(Scenario):
    """Who receives gets its packets from a port of the same shape."""

    name = "growth"
    title = "growth of the port: one thread for all its queues or sockets"
    ours = "send-queues-1"

    def contenders(self, options):
        return [Point(role, axis, value) for role in ("send", "receive")
                for axis, values in (QUICK_AXES if options.quick else AXES).items()
                for value in values]

    def pairs(self, outcome):
        """Each to the first on its axis."""
        return [("cost", point.name, f"{point.role}-{point.axis}-1", FLAT, "less")
                for point in outcome.measured()
                if point.axis in ("queues", "sockets") and point.value > 1]

    def measure(self, world, point, options):
        size = point.size or options.size
        names = [f"wire{number}" for number in range(point.sockets)]
        for name in names:
            world.wire("near", name, "far", name, point.queues, max(MTU, size - 14))
        port = Role("port", "port", "role-port")
        shape = {"ring": 512} if point.axis == "sockets" else {}
        with Flow(world) as flow:
            if point.role == "send":
                source = flow.add(Counter(world, "far", ",".join(names), "drop", size))
            else:
                source = flow.add(port.start(world, "receive", "far", names, options.cpus[1], size,
                                             point.burst, **shape))
            flow.add(port.start(world, "send", "near", names, options.cpus[0], size,
                                point.burst if point.role == "send" else 64, **shape))
            return flow.measure(source, options)
