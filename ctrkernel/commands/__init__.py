"""What each ``%ctr_`` command does, once, for every front end."""
