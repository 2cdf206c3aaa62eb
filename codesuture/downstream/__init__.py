"""Where a default goes, read from the bytecode without running anything: what `explain` says of it.

follow     the uses of a site's value in its own function, and in callers in the same file
judge      what one use makes of the value: safe, changed, passed on, another crash
"""
