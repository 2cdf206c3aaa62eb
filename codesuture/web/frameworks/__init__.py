"""Frameworks: what their catch-alls mean for the fate of an exception. One file each, one table.

``fate.boundaries.FRAMEWORKS`` names them by their top-level packages.
"""
