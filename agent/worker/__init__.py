"""Jobs that outlive their request: the only part of Ringfence besides the local stack that opens a database connection (DESIGN.md section 6)."""
