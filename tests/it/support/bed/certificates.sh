# One authority and the certificates of the bed's mail servers; read by scripts/testbed.

# sign NAME SAN [OPENSSL CA ARGUMENTS…]: `tls/NAME.key`, and `tls/NAME.crt` for the host SAN.
sign() {
    local name=$1 host=$2
    shift 2
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$host" \
        -keyout "$bed/tls/$name.key" -out "$bed/tls/$name.csr" 2>/dev/null
    printf 'subjectAltName=DNS:%s\n' "$host" >"$bed/tls/$name.ext"
    openssl ca -batch -notext -config "$bed/tls/ca.cnf" -extfile "$bed/tls/$name.ext" \
        -in "$bed/tls/$name.csr" -out "$bed/tls/$name.crt" "$@" 2>/dev/null
    cat "$bed/tls/$name.key" "$bed/tls/$name.crt" >"$bed/tls/$name.pem"
}

make_certificates() {
    local tls=$bed/tls
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj '/CN=Authority of the bed' \
        -addext basicConstraints=critical,CA:TRUE -keyout "$tls/ca.key" -out "$bed/ca.pem" 2>/dev/null
    cat >"$tls/ca.cnf" <<CNF
[ca]
default_ca = bed
[bed]
dir = $tls
database = $tls/index
new_certs_dir = $tls
rand_serial = yes
certificate = $bed/ca.pem
private_key = $tls/ca.key
default_md = sha256
default_days = 30
policy = any
unique_subject = no
[any]
commonName = supplied
CNF
    : >"$tls/index"
    sign good mx.good.test
    sign wrong mx.elsewhere.test
    sign old mx.old.test
    sign dane mx.dane.test
    sign exim mx.exim.test
    sign opensmtpd mx.opensmtpd.test
    sign hostile mx.hang.test
    sign expired mx.expired.test -startdate 20240101000000Z -enddate 20240201000000Z
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=mx.self.test \
        -addext subjectAltName=DNS:mx.self.test -keyout "$tls/self.key" -out "$tls/self.crt" 2>/dev/null
    cat "$tls/self.key" "$tls/self.crt" >"$tls/self.pem"
    # A key, and the certificate of another.
    cat "$tls/good.key" "$tls/self.crt" >"$tls/broken.pem"
    # Exim reads its key under its own account.
    chown Debian-exim "$tls/exim.key"
}
