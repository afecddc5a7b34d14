#!/bin/bash
# Passes while a process with the name nginx exists.

if ! pgrep -x nginx >/dev/null; then
    exit 1
fi

exit 0
