#!/bin/bash
# Asks the engine on this machine: exit 0 if it answers 200 to the path given, such as /healthz.
# Bash, since the image has nothing else that speaks TCP.
set -eu
listen=${TILLROLL_LISTEN:-127.0.0.1:8080}
exec 3<>"/dev/tcp/127.0.0.1/${listen##*:}"
printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$1" >&3
read -r -t 4 _ status _ <&3
[ "$status" = 200 ]
