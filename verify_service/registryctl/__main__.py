"""Run the command as a module."""

import sys

from verify_service.registryctl import main

sys.exit(main())
