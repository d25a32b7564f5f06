"""Gets what a seller publishes over HTTP, and nothing from anywhere that a page on the web has no business to reach.

`client` fetches one address within `limits`; `robots` and `sitemap` read what a site says about itself; `render` lets
Chromium run a page's scripts with every request going through `client`. No Django, no database.
"""
