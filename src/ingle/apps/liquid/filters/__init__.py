"""The filters: what stands behind `|` in a template, a file for each kind of value."""
