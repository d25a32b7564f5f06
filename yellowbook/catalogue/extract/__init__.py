"""Reads businesses out of what a seller publishes: pages and feeds in, `Item`s out. No Django, no database, no network.

read         one document: every parser's turn, what they say of one business put together
confined     the same in a process that can be ended: for whatever comes from the web
registry     the parsers: json_ld, microdata, rdfa, feeds
schema_org   from nodes of schema.org to the fields of a business
letters      look-alike letters of Mongolian names
"""
