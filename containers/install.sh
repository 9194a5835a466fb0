#!/bin/sh
# Makes an image of a Debian that has Python: the versions of constraints.txt in /opt/venv, and a user without rights.
# The checkout is in /opt/a3c; $EXTRAS are extras of pyproject.toml. Run by the Containerfile, as root.
set -eu

EXTRAS=${EXTRAS:-pipeline,kubernetes}

cd /opt/a3c
python3 -m venv /opt/venv
/opt/venv/bin/pip install --no-cache-dir -c constraints.txt ".[$EXTRAS]"
rm -rf build ./*.egg-info

groupadd --gid 1000 a3c
useradd --uid 1000 --gid 1000 --create-home a3c
install -d -o a3c -g a3c /project
