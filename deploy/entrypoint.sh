#!/bin/sh
# Starts tillroll where settings and credentials come as files that it must not change.
#
# A URL holds a password, so it may be in a file: TILLROLL_JOURNAL_FILE names the one that has
# TILLROLL_JOURNAL in it, and so on. CREDENTIALS_DIRECTORY has what all nodes share: master.key,
# secrets.json and api-keys.json. They are linked into the data directory, not copied, so that a key
# that is added or revoked is heard of within a second.
set -eu

for name in TILLROLL_JOURNAL TILLROLL_KEYS TILLROLL_READ_MODELS TILLROLL_BUS; do
    eval "file=\${${name}_FILE:-}"
    if [ -n "$file" ]; then
        value=$(cat "$file")
        export "$name=$value"
        unset "${name}_FILE"
    fi
done

given=${CREDENTIALS_DIRECTORY:-}
if [ -n "$given" ]; then
    data=${TILLROLL_DATA:-tillroll-data}
    mkdir -p "$data"
    # A node that made its own would sign and seal what no other node can read.
    for file in master.key secrets.json api-keys.json; do
        if [ ! -r "$given/$file" ]; then
            echo "tillroll: $given/$file cannot be read: give every node the same one" >&2
            exit 3
        fi
    done
    # The next master key is there only while it is being changed.
    for file in master.key master.key.next secrets.json api-keys.json; do
        if [ -e "$data/$file" ] && [ ! -L "$data/$file" ]; then
            echo "tillroll: $data/$file is this node's own: move it away, or start without" \
                "CREDENTIALS_DIRECTORY" >&2
            exit 3
        fi
        ln -sfn "$given/$file" "$data/$file"
    done
fi

exec tillroll "$@"
