"""What a cell prints on its way to a notebook: redraws, images, links and limits; no I/O."""
