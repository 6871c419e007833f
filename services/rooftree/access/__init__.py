"""
Who asks: roles, the organizations that somebody may read, and the tokens that prove it.
"""
