#!/bin/sh
# Makes deploy/secrets: passwords, URLs with them, and the credentials all nodes share. What is there
# already stays, so it may be run again. Keep secrets/credentials/master.key somewhere else as well,
# apart from every backup of the journal: without it no personal data can be read any more.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets/credentials

# Containers run as another user: the directory keeps others on this machine out, not the files.
put() {
    [ -e "secrets/$1" ] || cat >"secrets/$1"
    chmod 0444 "secrets/$1"
}
key() { head -c 32 /dev/urandom | base64; }
password() { head -c 24 /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

password | put postgres-password
password | put nats-password
database="tillroll:$(cat secrets/postgres-password)@postgres:5432"
echo "postgres://$database/tillroll" | put journal-url
echo "postgres://$database/tillroll_keys" | put keys-url
echo "postgres://$database/tillroll_read_models" | put read-models-url
echo "nats://tillroll:$(cat secrets/nats-password)@nats:4222" | put bus-url
put nats-auth.conf <<EOF
authorization { user: tillroll, password: "$(cat secrets/nats-password)" }
EOF

chmod 0755 secrets/credentials
key | put credentials/master.key
put credentials/secrets.json <<EOF
{"token_key": "$(key)", "webhook_secrets": ["whsec_$(key)"]}
EOF
echo '{"keys": []}' | put credentials/api-keys.json
