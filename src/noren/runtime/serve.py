"""What Granian's processes load: the app, in a process that does not outlive Granian itself.

Granian's own children know nothing of their parent's death; one that is left would keep the port.
"""

import importlib
import signal

from noren.runtime import child

child.die_with_parent(signal.SIGKILL)
# Loaded by name: the rooms above are no business of the runtime's.
application = importlib.import_module("noren.web.wsgi").application
