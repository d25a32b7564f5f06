"""The catalogue: businesses read from sellers' own sites. `fetch` gets pages safely, `extract` reads what they say."""
