"""Merges a profile with its parent, by the rules of docs/reference/profiles.md."""

from __future__ import annotations

from harness.profiles.source_map import Located

ADDED = ("log_exceptions", "known_issues", "packages")
"""Lists that a child appends to instead of replacing."""


def merged(parent: Located, child: Located) -> Located:
    """The parent's fields overridden by the child's, as a new mapping.

    Mappings merge field by field, `null` removes the parent's value, ADDED lists and claims are
    appended to the parent's, and any other value of the child replaces the parent's.
    """
    fields = dict(parent.fields())
    for name, own in child.fields().items():
        theirs = fields.get(name)
        if own.value is None:
            fields.pop(name, None)
        elif theirs is None:
            fields[name] = _without_nulls(own)
        elif isinstance(own.value, dict) and isinstance(theirs.value, dict):
            fields[name] = merged(theirs, own)
        elif name in ADDED and _both_lists(theirs, own):
            fields[name] = own.replaced([*own.items(), *theirs.items()])
        elif name == "claims" and _both_lists(theirs, own):
            fields[name] = own.replaced([*own.items(), *_unclaimed(theirs, own)])
        else:
            fields[name] = own
    return child.replaced(fields)


def _both_lists(theirs: Located, own: Located) -> bool:
    return isinstance(theirs.value, list) and isinstance(own.value, list)


def _without_nulls(value: Located) -> Located:
    """A mapping without its nulls, which remove nothing as the parent has no such mapping."""
    return merged(value.replaced({}), value) if isinstance(value.value, dict) else value


def _unclaimed(theirs: Located, own: Located) -> list[Located]:
    """The parent's claims without those that the child overrides by feature and hypervisor.

    Sources of one level may disagree; both claims stay, as neither overrides the other.
    """
    taken = {
        (_word(entry, "on"), feature.value)
        for entry in own.items()
        for feature in entry.at(["features"]).items()
    }
    kept = []
    for entry in theirs.items():
        features = entry.at(["features"])
        left = [f for f in features.items() if (_word(entry, "on"), f.value) not in taken]
        if left == features.items():
            kept.append(entry)  # unchanged, or malformed: validation reports it
        elif left:
            kept.append(entry.replaced(entry.fields() | {"features": features.replaced(left)}))
    return kept


def _word(entry: Located, field: str) -> object:
    found = entry.fields().get(field)
    return found.value if found else None
