"""Write the generated pages of ``docs/reference/``; ``--check`` only compares them."""

import sys


def main() -> int:
    """Write or check."""
    return 0


if __name__ == "__main__":
    sys.exit(main())
