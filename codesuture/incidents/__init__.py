"""Incidents: the record of each crash that nobody handles, healed or not.

``reporting`` is how the rest of codesuture tells of one, ``incident`` is the record itself
(``docs/incidents.md`` has its fields), ``reading`` gives all of a store's, grouped and counted.
Importing this package imports nothing else.
"""
