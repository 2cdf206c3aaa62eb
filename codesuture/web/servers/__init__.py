"""Servers: where a request begins, and where the headers of its response go out. One file each.

``afterimport.expected`` names, by the module that is adapted once it is loaded, the file that does
it: its function ``adapt`` is given the module. A file may also have ``BOUNDARIES`` of its server,
which ``fate.boundaries.FRAMEWORKS`` refers to.
"""
