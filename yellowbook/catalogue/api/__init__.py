"""The catalogues over HTTP: staff writes, a seller reads what is its own."""
