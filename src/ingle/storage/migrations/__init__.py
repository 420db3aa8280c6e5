"""The database's revisions, from the first to the newest; a file each in `versions`.

They are listed here too, so that an up-to-date database is recognised without loading Alembic.
To make the next one: change `tables.py`, copy the newest file in `versions` under the next number,
write the same change there (`op.batch_alter_table` for a table that exists, since SQLite alters one
only by making it anew), and add the number here. The tests say where the two differ.
"""

from __future__ import annotations

__all__ = ["REVISIONS"]

REVISIONS = ("0001", "0002", "0003", "0004", "0005")
