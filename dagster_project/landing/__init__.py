"""From bytes people downloaded to whole load packages of canonical rows.

Bytes are judged here before any engine sees them; a record is loaded, a duplicate,
skipped by declaration, or rejected with a reason, and the ledger adds up.
"""
