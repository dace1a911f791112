"""``python -m signary``."""

from signary.cli.app import main

if __name__ == "__main__":
    main()
