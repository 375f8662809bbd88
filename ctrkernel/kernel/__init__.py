"""The Jupyter kernel *Container Shell*."""
