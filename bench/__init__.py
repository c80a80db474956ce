"""Measure Skald beside a peer that does less: figures side by side, never a verdict."""
