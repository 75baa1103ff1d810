"""``python -m voxplain``."""

from voxplain.cli import main

raise SystemExit(main())
