"""The vault: the process that knows who people are, and tells nothing before that is written down."""
