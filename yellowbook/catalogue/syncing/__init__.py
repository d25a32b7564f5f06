"""Going over a source: its pages are found, read one by one as jobs of their own, and what they say is merged.

begin      starting a sync, by a person or because it is due
turns      how fast, and how many at once, a host and a seller are asked
discover   the job `sync_source`: robots.txt, sitemaps, the first pages
scrape     the job `scrape_catalogue`: one page
merge      from what a page says to listings and businesses
settle     ending a sync whose pages are done: the vanished, the summary
telling    what the seller hears of it
progress   how far a sync has come
visiting   who we say we are, and where we may go
"""
