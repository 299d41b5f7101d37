#!/bin/bash
# Health check: succeeds if /readyz of the service in this container does. Not in Node, because it runs often.
exec 3<>/dev/tcp/127.0.0.1/9464 || exit 1
printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3
read -r -t 4 _ status _ <&3
[ "$status" = 200 ]
