"""Files into and out of a container, with the semantics of ``docker cp`` and none of its traps."""
