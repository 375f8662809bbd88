"""Docker and Podman through their own command line: find, inspect, diagnose, argv for exec."""
