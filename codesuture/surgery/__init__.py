"""Adding landing pads to code objects: all that is specific to bytecode.

``arming`` adds the pads and gives the original back, ``sites`` tells the sites. What a process
needs that arms nothing, because all its code is cached, is in ``names`` and ``library``.
"""
