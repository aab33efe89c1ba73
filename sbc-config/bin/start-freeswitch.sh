#!/bin/sh
# Starts FreeSWITCH with ../freeswitch as its configuration. FreeSWITCH reads the environment itself (freeswitch/vars.xml);
# this script checks that what has no safe default is there, and names what is missing.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
conf_dir=${SIDEKICK_FREESWITCH_CONF_DIR:-$here/../freeswitch}

fail() {
  echo "start-freeswitch: $1" >&2
  exit 64
}

need() {
  eval "value=\${$1:-}"
  [ -n "$value" ] || fail "$1 is not set. $2"
}

need SIDEKICK_FREESWITCH_SECRET 'It is the password of the event socket; use at least 16 random characters.'
need SIDEKICK_SIP_IP 'It is the IPv4 address of this machine at which FreeSWITCH talks to drachtio and sends audio.'

[ "${#SIDEKICK_FREESWITCH_SECRET}" -ge 16 ] || fail 'SIDEKICK_FREESWITCH_SECRET is shorter than 16 characters.'
case $SIDEKICK_FREESWITCH_SECRET in
  *[!A-Za-z0-9._-]*) fail 'SIDEKICK_FREESWITCH_SECRET may hold letters, digits, dot, dash and underscore only.' ;;
esac
case $SIDEKICK_SIP_IP in
  0.0.0.0 | *[!0-9.]*) fail "SIDEKICK_SIP_IP must be one IPv4 address, not \"$SIDEKICK_SIP_IP\"." ;;
esac

# An empty variable counts as set for FreeSWITCH and would wipe out the default in vars.xml.
for name in SIDEKICK_RTP_IP SIDEKICK_EXTERNAL_IP SIDEKICK_SIP_PORT SIDEKICK_MEDIA_SIP_PORT SIDEKICK_FREESWITCH_PORT \
  SIDEKICK_RTP_START_PORT SIDEKICK_RTP_END_PORT SIDEKICK_MAX_SESSIONS SIDEKICK_CODECS SIDEKICK_MUSIC_DIR \
  SIDEKICK_MEDIA_TIMEOUT_MS SIDEKICK_MEDIA_LOGLEVEL; do
  eval "value=\${$name:-}"
  [ -n "$value" ] || unset "$name"
done

run_dir=${SIDEKICK_FREESWITCH_RUN_DIR:-/var/lib/sidekick-freeswitch}
recordings_dir=${SIDEKICK_RECORDINGS_DIR:-$run_dir/recordings}
# The log directory also holds the expanded configuration, password included.
umask 027
for dir in run log db temp certs storage cache; do
  mkdir -p "$run_dir/$dir"
done
mkdir -p "$recordings_dir"
# Nodes that run as another user read messages, and delete them when their time is over: what is recorded belongs to their group.
if [ -n "${SIDEKICK_RECORDINGS_GROUP:-}" ]; then
  chgrp "$SIDEKICK_RECORDINGS_GROUP" "$recordings_dir"
  chmod 2770 "$recordings_dir"
fi
chmod 700 "$run_dir/log"

if [ -n "${SIDEKICK_FREESWITCH_MOD_DIR:-}" ]; then
  set -- -mod "$SIDEKICK_FREESWITCH_MOD_DIR" "$@"
fi

# With the console its log goes to standard output, where a container's log is read. It wants an open standard input.
console=-nc
[ "${SIDEKICK_FREESWITCH_CONSOLE:-0}" = 1 ] && console=-c

exec "${SIDEKICK_FREESWITCH_BIN:-freeswitch}" -nf "$console" -nonat -nonatmap \
  -conf "$conf_dir" -log "$run_dir/log" -db "$run_dir/db" -run "$run_dir/run" -temp "$run_dir/temp" \
  -certs "$run_dir/certs" -storage "$run_dir/storage" -cache "$run_dir/cache" -recordings "$recordings_dir" "$@"
