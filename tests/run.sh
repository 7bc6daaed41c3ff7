#!/usr/bin/env bash
# Runs the tests; ./tests/run.sh --help lists the suites. Installs the packages they need first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
case " $* " in
  *" --help "* | *" -h "*) command -v python3 >/dev/null || ./deploy/install-packages.sh deploy/packages-test.txt ;;
  *" bench "*) ./deploy/install-packages.sh deploy/packages.txt deploy/packages-test.txt deploy/packages-bench.txt ;;
  *" full "*) ./deploy/install-packages.sh deploy/packages.txt deploy/packages-test.txt deploy/packages-test-full.txt ;;
  *) ./deploy/install-packages.sh deploy/packages.txt deploy/packages-test.txt ;;
esac
exec python3 tests/run.py "$@"
