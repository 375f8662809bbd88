"""What `make` needs on a fresh machine: an engine, images, containers, a virtual environment.

Only the standard library is used, because this runs before anything is installed. Every step
leaves alone what stands already, and everything it makes in an engine carries one of the labels
in :mod:`workbench.names`.
"""
