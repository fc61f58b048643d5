#!/bin/sh
# Makes the passwords of this installation, once, into a volume that only the services which need them mount.
set -eu
umask 077
cd /secrets
random() { head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n'; }
[ -s postgres-password ] || random >postgres-password
[ -s grafana-password ] || random >grafana-password
# Read by libpq, which insists on a file that nobody else can read.
printf '*:*:*:casting:%s' "$(cat postgres-password)" >pgpass
chown 10001:10001 pgpass
chown 999:999 postgres-password
chown 472:0 grafana-password
chmod 755 .
