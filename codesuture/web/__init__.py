"""Servers and web frameworks: whom a heal concerns, and how the response says so.

``marking`` knows the request that is being served, in a context variable, and the header that its
response gets. ``wsgi`` and ``asgi`` hold the applications that set it; they are what
``codesuture.middleware`` offers, and what the files in ``servers`` put around an application when
the agent is on. ``frameworks`` tells what the catch-alls of each framework mean for the fate of
an exception, and which handlers of the application's own win.
"""
