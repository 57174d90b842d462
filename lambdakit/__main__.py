"""``python -m lambdakit``: the command line."""

import sys

from lambdakit.cli import main

sys.exit(main())
