"""One command to run everything on one machine: embedded servers, workers and web under a small supervisor."""
