"""Figures of whole hours, six hours and days, kept so that panels need not scan sessions.

A cell is one value of one dimension, of one app and environment, in one such time:
counts, sums, the set of users (exact, as a bitmap), and distributions as histograms.
Cells are derived from sessions and recomputed whole, never incremented, so late lines
and crashes heal here as everywhere. An hour that changed is *dirty*: until it has been
recomputed, its sessions are scanned instead, and the answer is the same.
"""
