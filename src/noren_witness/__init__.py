"""A witness: a small program for somebody else's machine, that remembers how far each ledger had come.

It speaks C2SP tlog-witness v1.0.0 and imports nothing of Noren: a shop, an association or a rival can run
it, for any log in that format. `noren-witness init FOLDER`, `noren-witness serve FOLDER`; docs/witness.md.
"""
