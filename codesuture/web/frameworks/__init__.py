"""Frameworks: what their catch-alls mean for the fate of an exception. One file each, one table.

``fate.boundaries.FRAMEWORKS`` names them by their top-level packages. An error handler that the
application has registered for the exception handles it; a page for status 500 does not: it only
says how a lost request looks.
"""
