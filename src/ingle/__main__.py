"""`python -m ingle`: the command line."""

import sys

from ingle.cli import main

sys.exit(main())
