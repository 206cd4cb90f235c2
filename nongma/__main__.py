import sys

from nongma.cli import main

sys.exit(main())
