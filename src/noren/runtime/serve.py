"""What Granian's processes load: the app, in a process that does not outlive Granian itself.

Granian's own children know nothing of their parent's death; one that is left would keep the port.
"""

import importlib
import resource
import signal

from noren.runtime import child

# Sockets of visitors, of the databases, of the vault; a login's usual limit is 1,024.
FILES = 8192

child.die_with_parent(signal.SIGKILL)
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (max(_soft, min(FILES, _hard)), _hard))
# Loaded by name: the rooms above are no business of the runtime's.
application = importlib.import_module("noren.web.wsgi").application
