"""An emulator of Supabase Auth for the local stack: its paths, bodies, errors and tables, on loopback only.

A request goes  app (routes) -> wire (body in, error out) -> endpoints -> grants (sessions and tokens) -> store (SQL).
"""
