"""``xmlrpc.server``: what a function dies of is sent to the client, as a fault with its text.

Source: ``SimpleXMLRPCDispatcher`` and ``MultiPathXMLRPCServer`` of Lib/xmlrpc/server.py. Functions
that want to send a fault raise ``xmlrpc.client.Fault``.
"""

from __future__ import annotations

from codesuture.fate import Boundary

BOUNDARIES = (
    Boundary("xmlrpc.server", "SimpleXMLRPCDispatcher._marshaled_dispatch"),
    Boundary("xmlrpc.server", "SimpleXMLRPCDispatcher.system_multicall"),
    Boundary("xmlrpc.server", "MultiPathXMLRPCServer._marshaled_dispatch"),
    Boundary("xmlrpc.server", "SimpleXMLRPCRequestHandler.do_POST"),
)
