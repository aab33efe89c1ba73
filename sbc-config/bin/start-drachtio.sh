#!/bin/sh
# Starts drachtio-server with ../drachtio.conf.xml, in which the ${NAMES} are replaced by the environment.
# The environment is checked first: what is missing or wrong is named, and nothing is started.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
template=${SIDEKICK_DRACHTIO_TEMPLATE:-$here/../drachtio.conf.xml}

fail() {
  echo "start-drachtio: $1" >&2
  exit 64
}

need() {
  eval "value=\${$1:-}"
  [ -n "$value" ] || fail "$1 is not set. $2"
}

need SIDEKICK_DRACHTIO_SECRET 'It is the secret between the Sidekick node and drachtio; use at least 16 random characters.'
need SIDEKICK_SIP_IP 'It is the IPv4 address of this machine that carriers and Teams reach, or that is mapped to the public one.'
need SIDEKICK_SBC_FQDN 'It is the name of this SBC in the certificate and in Teams, for instance sbc1.example.com.'

[ "${#SIDEKICK_DRACHTIO_SECRET}" -ge 16 ] || fail 'SIDEKICK_DRACHTIO_SECRET is shorter than 16 characters.'
case $SIDEKICK_DRACHTIO_SECRET in
  *[!A-Za-z0-9._-]*) fail 'SIDEKICK_DRACHTIO_SECRET may hold letters, digits, dot, dash and underscore only.' ;;
esac
case $SIDEKICK_SIP_IP in
  0.0.0.0 | *[!0-9.]*) fail "SIDEKICK_SIP_IP must be one IPv4 address, not \"$SIDEKICK_SIP_IP\"." ;;
esac

export SIDEKICK_DRACHTIO_SECRET SIDEKICK_SIP_IP SIDEKICK_SBC_FQDN
export SIDEKICK_DRACHTIO_PORT="${SIDEKICK_DRACHTIO_PORT:-9022}"
export SIDEKICK_DRACHTIO_METRICS_PORT="${SIDEKICK_DRACHTIO_METRICS_PORT:-9023}"
export SIDEKICK_SIP_PORT="${SIDEKICK_SIP_PORT:-5060}"
export SIDEKICK_SIP_TLS_PORT="${SIDEKICK_SIP_TLS_PORT:-5061}"
export SIDEKICK_EXTERNAL_IP="${SIDEKICK_EXTERNAL_IP:-}"
export SIDEKICK_LOCAL_NET="${SIDEKICK_LOCAL_NET:-$SIDEKICK_SIP_IP/32}"
export SIDEKICK_TLS_DIR="${SIDEKICK_TLS_DIR:-$here/../tls}"

# drachtio starts without a word when a certificate cannot be read, and then fails at every handshake.
for file in sbc-key.pem sbc-cert.pem chain.pem; do
  [ -r "$SIDEKICK_TLS_DIR/$file" ] || fail "$SIDEKICK_TLS_DIR/$file cannot be read; see tls/README.md."
done

run_dir=${SIDEKICK_DRACHTIO_RUN_DIR:-/run/sidekick-drachtio}
umask 077
mkdir -p "$run_dir"
awk '{
  line = $0; done = ""
  while (match(line, /\$\{[A-Z_]+\}/)) {
    name = substr(line, RSTART + 2, RLENGTH - 3)
    if (name in ENVIRON) value = ENVIRON[name]; else value = substr(line, RSTART, RLENGTH)
    done = done substr(line, 1, RSTART - 1) value
    line = substr(line, RSTART + RLENGTH)
  }
  print done line
}' "$template" > "$run_dir/drachtio.conf.xml"

# Peers on TLS show a certificate that chains to chain.pem. 0 is for a test tenant without one.
export DRACHTIO_TLS_VERIFY_CLIENT_CERT="${SIDEKICK_TLS_VERIFY_CLIENTS:-1}"

# The four suites of TLS 1.2 that Microsoft takes, and no others; those of TLS 1.3 are OpenSSL's own three. By itself drachtio would
# also take suites without forward secrecy. A carrier or PBX on TLS that needs another one: name all of them here, joined by colons.
export DRACHTIO_TLS_CIPHER_LIST="${SIDEKICK_TLS_CIPHERS:-ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-SHA384:ECDHE-RSA-AES128-SHA256}"

# A TLS connection that has swallowed three requests without an answer is closed and built anew.
export DRACHTIO_TPORT_MAX_CONSECUTIVE_TIMEOUTS="${DRACHTIO_TPORT_MAX_CONSECUTIVE_TIMEOUTS:-3}"

# drachtio reads these too and would prefer them to the file.
unset DRACHTIO_SECRET DRACHTIO_ADMIN_ADDRESS DRACHTIO_ADMIN_TCP_PORT DRACHTIO_MIN_TLS_VERSION DRACHTIO_CONFIG_FILE_PATH || true
unset SIDEKICK_DRACHTIO_SECRET

exec "${SIDEKICK_DRACHTIO_BIN:-drachtio}" -f "$run_dir/drachtio.conf.xml" "$@"
