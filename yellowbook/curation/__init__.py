"""Collections of businesses for each surface and day: themes of clusters and of editors' rules, with titles.

surfaces     where collections are shown, and how each chooses its themes: one entry for a new one
parameters   what a set is made by: how many collections, of how many businesses, among which
clustering   groups of near vectors; pure
candidates   which businesses there are to choose from, and the clusters of their vectors
themes       what collections may be about, each with its candidates: clusters, rules, occasions
choosing     from themes to collections, no business twice; pure
titles/      by the model, or by templates
making       the one way to a set; stores nothing
handler      the job `curate_collections`, and what makes it every day
services     asking for a set
selectors    what is shown, and where a set stands
"""
