"""Engines: seeing exceptions where they are raised, in code that has no landing pads.

Such code is what the program gives to ``exec``, what was loaded before the import hook, packages.
Its crashes are healed nowhere in place, but they can be learned from. ``inplace`` waits until the
exception has come to a boundary. The other two engines see it at the instruction that raises it,
while all frames are as they were: ``monitoring`` by ``sys.monitoring`` (PEP 669, Python 3.12 and
later), ``trace`` by ``sys.settrace`` (Python 3.11). Nothing of this package is imported where
neither is selected.
"""
