"""The original's own times (timing.json): read and checked for sense; `make bench` compares."""

import json


def reads(path):
    return path.name == "timing.json"


def check(path):
    """Yield (what, error, tolerance): error 0 where a median is a positive time, else infinite."""
    found = list(medians("", json.loads(path.read_text())))
    yield "medians found", 0.0 if found else float("inf"), 0.0
    for name, seconds in found:
        yield f"median of {name.strip('/')}", 0.0 if seconds > 0 else float("inf"), 0.0


def medians(name, value):
    """(where, seconds) of every median_s in nested dictionaries and lists."""
    if isinstance(value, dict):
        if "median_s" in value:
            yield name, value["median_s"]
        for key, item in value.items():
            yield from medians(f"{name}/{key}", item)
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from medians(f"{name}/{i}", item)
