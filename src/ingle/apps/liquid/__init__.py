"""Liquid, bounded: python-liquid reads a template, and what is here carries it out.

python-liquid's own rendering works on Python objects and is bounded in places only (a range of a
billion items, a text replaced into gigabytes and the like go through). So it lexes expressions and
builds the tree, and the tree is turned into functions that see plain JSON and pay for all they do.
"""
