"""Quantise: vectors in a quarter to a thirty-second of their memory, and scores that need no more than that.

`scalar` rounds every value to a multiple of one step (what the kernels scan), `lvq` gives every vector a step of its
own, at 8 or 4 bits and in one or two levels, `binary` keeps signs. All are plain NumPy. `split` turns vectors so that a
few values tell the most, `blocks` puts codes in the order that kernels read, and `coded` bounds the error of it all.
"""
