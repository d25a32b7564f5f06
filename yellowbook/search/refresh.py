"""Going over the whole index: what is missing or out of date is mended, and the documents of every word are counted.

Saves keep the documents right by themselves. This is for rows that were written past the models, and for the counts,
which are a matter of the whole table.
"""

from uuid import UUID

from django.db import connection, transaction

from jobs.batch import Batch
from yellowbook.search.index import FUZZY_WEIGHTS, hashes_of, index

#: Businesses that are indexed in one transaction, those that are looked up at once, and words that are learnt at once:
#: an index that is made from nothing takes no more memory than this.
CHUNK, PAGE, WORDS = 1_000, 10_000, 5_000

#: Published businesses without a document of their present text and filters, and documents of others; from an id on.
_WRONG = """
SELECT coalesce(business.id, document.business_id)
  FROM (SELECT * FROM directory_business WHERE status = 'published') AS business
  FULL JOIN search_document AS document ON document.business_id = business.id
 WHERE (document.text_hash, document.category, document.city, document.price_level)
       IS DISTINCT FROM (business.text_hash, business.category, business.city, business.price_level)
   AND coalesce(business.id, document.business_id) > %s
 ORDER BY 1 LIMIT %s
"""

#: Words of all documents, those of names and the like apart, with the documents that each occurs in.
_COUNT = """
CREATE TEMPORARY TABLE search_counted ON COMMIT DROP AS
SELECT word AS term, ndoc AS documents FROM ts_stat('SELECT words FROM search_document')
"""
_RECOUNT = """
UPDATE search_term AS term SET documents = counted.documents
  FROM search_counted AS counted
 WHERE counted.term = term.term AND counted.documents <> term.documents
"""
_FORGET = """
DELETE FROM search_term AS term
 WHERE NOT EXISTS (SELECT FROM search_counted AS counted WHERE counted.term = term.term)
"""
_UNKNOWN = """
SELECT counted.term, counted.documents, fuzzy.word IS NOT NULL
  FROM search_counted AS counted
  LEFT JOIN ts_stat('SELECT words FROM search_document', %s) AS fuzzy ON fuzzy.word = counted.term
  LEFT JOIN search_term AS term ON term.term = counted.term
 WHERE term.term IS NULL OR (fuzzy.word IS NOT NULL AND term.slips = '{}')
 ORDER BY counted.term
"""
_LEARN = """
INSERT INTO search_term AS term (term, documents, slips)
SELECT new.term, new.documents, new.slips::int[]
  FROM unnest(%s::text[], %s::int[], %s::text[]) AS new (term, documents, slips)
    ON CONFLICT (term) DO UPDATE SET documents = excluded.documents, slips = excluded.slips
"""


def refresh() -> int:
    """Mend the index and count its words; return how many documents were mended."""
    mended = mend()
    recount()
    return mended


def mend() -> int:
    """Index what is missing or out of date; return how many businesses that was."""
    mended = 0
    wrong = [UUID(int=0)]
    while wrong:
        with connection.cursor() as cursor:
            cursor.execute(_WRONG, [wrong[-1], PAGE])
            wrong = [business_id for (business_id,) in cursor.fetchall()]
        for start in range(0, len(wrong), CHUNK):
            with transaction.atomic():
                index(wrong[start : start + CHUNK])
        mended += len(wrong)
    return mended


def recount() -> None:
    """Count the documents of every word, and forget words without any."""
    with transaction.atomic(), connection.cursor() as cursor, connection.chunked_cursor() as unknown:
        cursor.execute(_COUNT)
        cursor.execute(_RECOUNT)
        cursor.execute(_FORGET)
        unknown.execute(_UNKNOWN, ["".join(sorted(FUZZY_WEIGHTS)).lower()])
        while rows := unknown.fetchmany(WORDS):
            slips = ["{" + ",".join(map(str, hashes_of(term) if fuzzy else ())) + "}" for term, _, fuzzy in rows]
            cursor.execute(_LEARN, [[row[0] for row in rows], [row[1] for row in rows], slips])


def refresh_index(batch: Batch) -> None:
    """Do it; the handler of `refresh_search_index`."""
    mended = refresh()
    for job in batch.jobs:
        batch.succeed(job, f"{mended} mended" if mended else "all right")
