# Knot signs the zones, Unbound validates them; read by scripts/testbed. The files are those of the tests that have a world
# of names alone.

# Domain and address of each personality, in the order of docs/testbed.md.
personalities='good 2
self 3
expired 4
wrong 5
none 6
old 7
broken 8
dane 9
strip 10
hang 11
garbage 12
eof 13
exim 14
opensmtpd 15
inject 16'

fill() {
    sed -e "s|FOLDER|$bed|g" -e 's|AUTHORITY|127.0.0.54|g' -e 's|VALIDATOR@5300|127.0.0.1@53|g' \
        -e 's|^  USER$|  user: root:root|' -e 's|HOST1|127.0.0.6|g' "$parts/zones/$1"
}

start_names() {
    local name number digest
    fill knot.conf >"$bed/knot.conf"
    fill unbound.conf >"$bed/unbound.conf"
    for name in plain bogus; do
        { printf '$ORIGIN %s.test.\n' "$name" && fill child.zone; } >"$bed/$name.test.zone"
    done
    digest=$(openssl x509 -in "$bed/tls/dane.crt" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -c1-64)
    {
        fill test.zone
        while read -r name number; do
            printf '%s MX 10 mx.%s\nmx.%s A 127.0.0.%s\n' "$name" "$name" "$name" "$number"
        done <<<"$personalities"
        printf '_25._tcp.mx.dane TLSA 3 1 1 %s\nnullmx MX 0 .\n' "$digest"
    } >"$bed/test.zone"
    knotd -c "$bed/knot.conf" >"$bed/log/knot" 2>&1 &
    until_answers 127.0.0.54 5300
    until keymgr -c "$bed/knot.conf" test dnskey 2>/dev/null | sed 's/ DNSKEY / IN DNSKEY /' >"$bed/anchor" &&
        grep -q DNSKEY "$bed/anchor"; do sleep 0.02; done
    unbound -c "$bed/unbound.conf" -d >"$bed/log/unbound" 2>&1 &
}

# until_answers ADDRESS PORT: waits until somebody takes a connection there.
until_answers() {
    local tries=0
    until (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" -lt 1000 ] || {
            say "nobody answers at $1:$2"
            tail -n 20 "$bed"/log/* >&2
            exit 1
        }
        sleep 0.02
    done
}

wait_until_all_answer() {
    local name number
    until_answers 127.0.0.1 53
    while read -r name number; do until_answers "127.0.0.$number" 25; done <<<"$personalities"
}
