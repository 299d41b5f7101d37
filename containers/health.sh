#!/bin/bash
# Whether the service in this container takes work: what its /readyz says. Without Node, for it is asked often.
exec 3<>/dev/tcp/127.0.0.1/9464 || exit 1
printf 'GET /readyz HTTP/1.0\r\n\r\n' >&3
read -r -t 4 _ status _ <&3
[ "$status" = 200 ]
