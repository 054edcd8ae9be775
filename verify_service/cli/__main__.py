"""Run the command as a module."""

import sys

from verify_service.cli import main

sys.exit(main())
