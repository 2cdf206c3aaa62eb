"""Source fixes: for a patch, the smallest change of the source that makes it unnecessary.

    document   a source file: its text, its syntax tree, positions, edits
    placing    from a patch to the node of the tree that crashed
    operands   what may be evaluated twice, later or not at all; names that are free
    literals   recipes as source text
    shapes     how a change is written: in place, by a walrus, a statement before, a function
    forms      one rule for each guard: which shape, with which test and which values
    suggestion all of it for one patch; diff makes unified diffs of them
    trial      runs the incident's expression, before and after
    writing    writes changed files, with a backup
    verifying  runs the project's tests in a copy
    sarif      the suggestions for other tools

Nothing here imports the program. ``libcst`` (the extra ``suggest``) is imported by ``document``
and what uses it, so by no other command.
"""
