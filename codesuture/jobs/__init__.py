"""Background work: where the exception of a task, a job or a callback ends.

One module for one framework, each with its ``BOUNDARIES``; ``fate.boundaries.FRAMEWORKS`` names
them. They import nothing of the framework: what they know about it is the names of its functions.
"""
