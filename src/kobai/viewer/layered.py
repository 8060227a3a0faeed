"""A layered layout without Graphviz, after Sugiyama: ranks, order within ranks, coordinates.

Simple rather than best: it is what draws the picture where no wheel can be installed. Works on
``size[v] = (across, along)``: ranks follow each other *along* the direction of the arrows.
"""

from __future__ import annotations

from collections import defaultdict

from .scene import POINTS_PER_INCH, Edge, Scene, number

ARROW = 10.0  # length of an arrow head
DUMMY = 4.0  # room for an edge that passes through a rank
SWEEPS = 8


def place(scene: Scene) -> None:
    """Give every node and edge of ``scene`` its position."""
    sideways = scene.attrs.get("rankdir", "TB") in ("LR", "RL")
    flipped = scene.attrs.get("rankdir", "TB") in ("BT", "RL")
    gap = max(0.02, number(scene.attrs, "nodesep", 0.25)) * POINTS_PER_INCH
    rank_gap = max(0.02, number(scene.attrs, "ranksep", 0.5)) * POINTS_PER_INCH
    size = {n.name: (n.height, n.width) if sideways else (n.width, n.height) for n in scene.nodes.values()}

    rank = ranks(list(scene.nodes), scene.edges)
    chains = [chain(i, edge, rank) for i, edge in enumerate(scene.edges)]
    rows = defaultdict(list)
    for vertex in [*size, *(v for way in chains for v in way[1:-1])]:
        rows[rank[vertex]].append(vertex)
        size.setdefault(vertex, (DUMMY, 0.0))
    above, below = defaultdict(list), defaultdict(list)
    for a, b in (pair for way in chains for pair in zip(way, way[1:])):
        if rank[a] != rank[b]:
            upper, lower = sorted((a, b), key=rank.__getitem__)
            above[lower].append(upper)
            below[upper].append(lower)

    layers = [rows[r] for r in sorted(rows)]
    order(layers, above, below)
    across = coordinates(layers, size, gap, above, below)
    along, length = depths(layers, size, rank_gap)
    if flipped:
        along = {v: length - y for v, y in along.items()}
    breadth = max((across[v] + size[v][0] / 2 for v in across), default=0.0)
    scene.width, scene.height = (length, breadth) if sideways else (breadth, length)

    turn = (lambda a, b: (b, a)) if sideways else (lambda a, b: (a, b))
    for node in scene.nodes.values():
        node.x, node.y = turn(across[node.name], along[node.name])
    seen: dict[tuple, int] = defaultdict(int)
    for edge, way in zip(scene.edges, chains):
        shift = 8.0 * seen[edge.tail, edge.head]  # a second edge between the same nodes stays visible
        seen[edge.tail, edge.head] += 1
        draw_edge(edge, [(across[v] + shift, along[v], size[v][1]) for v in way], turn)


def depths(layers: list[list], size: dict, gap: float) -> tuple[dict, float]:
    """Position along of each vertex, layer after layer, and where the last one ends."""
    along: dict = {}
    at = 0.0
    for layer in layers:
        thick = max(size[v][1] for v in layer)
        along |= dict.fromkeys(layer, at + thick / 2)
        at += thick + gap
    return along, max(0.0, at - gap)


def ranks(names: list, edges: list[Edge]) -> dict:
    """Rank of each node, every node as close before its users as it can be.

    Edges that close a cycle are ignored. Iterative: graphs are deeper than Python's stack.
    """
    after = defaultdict(list)
    for edge in edges:
        after[edge.tail].append(edge.head)
    height: dict = {}
    for root in names:
        stack, path = [root], set()
        while stack:
            v = stack[-1]
            if v in height:
                stack.pop()
            elif v not in path:
                path.add(v)
                stack += [w for w in after[v] if w not in height and w not in path]
            else:  # all that comes after v is known, but for cycles
                height[v] = max((height[w] + 1 for w in after[v] if w in height), default=0)
                stack.pop()
    top = max(height.values(), default=0)
    return {v: top - h for v, h in height.items()}


def chain(i: int, edge: Edge, rank: dict) -> list:
    """The edge's tail, one dummy for each rank it passes, and its head; dummies get their rank."""
    first, last = rank[edge.tail], rank[edge.head]
    step = 1 if last >= first else -1
    dummies = [(i, r) for r in range(first + step, last, step)]
    rank.update({dummy: dummy[1] for dummy in dummies})
    return [edge.tail, *dummies, edge.head]


def order(layers: list[list], above: dict, below: dict) -> None:
    """Fewer crossings: sort each layer by the mean position of its neighbours, down and up in turn."""
    at = {v: i for layer in layers for i, v in enumerate(layer)}
    for sweep in range(SWEEPS):
        near = below if sweep % 2 else above
        for layer in layers[::-1] if sweep % 2 else layers:
            layer.sort(key=lambda v: mean([at[w] for w in near[v]], at[v]))
            at.update({v: i for i, v in enumerate(layer)})


def coordinates(layers: list[list], size: dict, gap: float, above: dict, below: dict) -> dict:
    """Position across of each vertex: near its neighbours' mean, in order, without overlap."""
    x = {}
    for layer in layers:
        edge = 0.0
        for v in layer:
            x[v] = edge + size[v][0] / 2
            edge += size[v][0] + gap
    for sweep in range(SWEEPS + 1):
        both = sweep == SWEEPS
        for layer in layers[::-1] if sweep % 2 else layers:
            wish = []
            for v in layer:
                near = above[v] + below[v] if both else below[v] if sweep % 2 else above[v]
                wish.append(mean([x[w] for w in near], x[v]))
            room = [(size[a][0] + size[b][0]) / 2 + gap for a, b in zip(layer, layer[1:])]
            x.update(zip(layer, spread(wish, room)))
    left = min((x[v] - size[v][0] / 2 for v in x), default=0.0)
    return {v: at - left for v, at in x.items()}


def spread(wish: list[float], room: list[float]) -> list[float]:
    """Points nearest to ``wish`` (least squares) at least ``room[i]`` apart: isotonic regression.

    >>> spread([0.0, 0.0, 9.0], [2.0, 2.0])
    [-1.0, 1.0, 9.0]
    """
    offset = [0.0]
    for r in room:
        offset.append(offset[-1] + r)
    blocks: list[tuple[float, int]] = []  # (position, number) of points that touch
    for w, o in zip(wish, offset):
        at, size = w - o, 1
        while blocks and blocks[-1][0] > at:  # they would overlap: together, at their mean
            other, n = blocks.pop()
            at, size = (other * n + at * size) / (n + size), n + size
        blocks.append((at, size))
    flat = [at for at, size in blocks for _ in range(size)]
    return [at + o for at, o in zip(flat, offset)]


def mean(values: list[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def draw_edge(edge: Edge, stops: list[tuple[float, float, float]], turn) -> None:
    """Bézier through ``stops`` (across, along, thickness), from border to border."""
    sign = 1.0 if stops[-1][1] >= stops[0][1] else -1.0
    kind = edge.attrs.get("dir", "forward")
    head, tail = ARROW * (kind in ("forward", "both")), ARROW * (kind in ("back", "both"))
    ways = [(x, y) for x, y, _ in stops]
    start = ways[0][1] + sign * stops[0][2] / 2
    end = ways[-1][1] - sign * stops[-1][2] / 2
    ways[0], ways[-1] = (ways[0][0], start + sign * tail), (ways[-1][0], end - sign * head)
    points = [ways[0]]
    for (xa, ya), (xb, yb) in zip(ways, ways[1:]):
        middle = (ya + yb) / 2
        points += [(xa, middle), (xb, middle), (xb, yb)]
    edge.points = [turn(*p) for p in points]
    edge.head_tip = turn(ways[-1][0], end) if head else None
    edge.tail_tip = turn(ways[0][0], start) if tail else None
    edge.label_at = edge.points[len(edge.points) // 2]
