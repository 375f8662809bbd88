"""The shell protocol, without any input or output: marks, stream parser, dialects, cells."""
