"""The front end for IPython, in a notebook or a terminal."""
