"""`python -m noren_verify`."""

import sys

from noren_verify import main

sys.exit(main())
