"""Short forms of all vectors in the memory of a process, which name the few candidates for an exact comparison.

A search process compares a query with 100,000 sketches in a millisecond, where PostgreSQL takes 60 ms and more for the
vectors; of the first ten of short queries 0.99 are among the candidates (`manage.py benchmark`), also of a million.
What a search returns is read from the rows: candidates are compared in full, filters are applied in SQL, and whatever
has changed since the sketches were made is a candidate in any case. So nothing deleted is found, and nothing new is
missed.

changes    which subjects have changed since
table      the sketches, and the candidates for a vector
load       making them from the rows
keeper     those of this process: made when they pay, and kept up to date behind the searches
"""
