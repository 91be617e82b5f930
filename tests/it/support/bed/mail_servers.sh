# One Postfix with eight personalities, Exim, OpenSMTPD, and the servers that misbehave; read by scripts/testbed.

start_mail_servers() {
    start_postfix
    # Run with a configuration of ours, Exim stores all mail under its own account.
    mkdir "$bed/mail/exim.test"
    chown Debian-exim "$bed/exim/spool" "$bed/mail/exim.test"
    touch "$bed"/log/exim-{main,panic,reject}log
    chown Debian-exim "$bed"/log/exim-*
    fill_bed exim.conf >"$bed/exim.conf"
    "$foreign/usr/sbin/exim4" -C "$bed/exim.conf" -bdf >"$bed/log/exim-start" 2>&1 &
    fill_bed smtpd.conf >"$bed/smtpd.conf"
    "$foreign/usr/sbin/smtpd" -d -f "$bed/smtpd.conf" >"$bed/log/opensmtpd" 2>&1 &
    python3 "$parts/bed/misbehaving.py" "$bed/log/misbehaving" >"$bed/log/misbehaving-start" 2>&1 &
}

fill_bed() { sed -e "s|BED|$bed|g" -e "s|ROOT|$foreign|g" "$parts/bed/$1"; }

# personality ADDRESS NAME OPTIONS…: one more smtpd of the same instance.
personality() {
    printf '127.0.0.%s:25 inet n - n - - smtpd\n  -o syslog_name=%s -o myhostname=mx.%s.test' "$1" "$2" "$2"
    shift 2
    printf ' -o %s' "$@"
    printf '\n'
}

start_postfix() {
    local conf=$bed/conf/postfix name number
    mkdir -p "$conf"
    sed "s|FOLDER|$bed|g" "$parts/postfix/main.cf" >"$conf/main.cf"
    while read -r name number; do printf '@%s.test %s.test/\n' "$name" "$name"; done <<<"$personalities" >"$conf/boxes"
    postconf -c "$conf" -e "virtual_mailbox_domains=$(sed 's/^@\(\S*\).*/\1/' "$conf/boxes" | paste -sd,)" \
        "virtual_mailbox_maps=texthash:$conf/boxes" 'smtpd_client_connection_count_limit=0' \
        'smtpd_client_connection_rate_limit=0' 'smtpd_peername_lookup=no' 'default_process_limit=200'
    {
        cat "$parts/postfix/master.cf"
        personality 2 good "smtpd_tls_chain_files=$bed/tls/good.pem"
        personality 3 self "smtpd_tls_chain_files=$bed/tls/self.pem"
        personality 4 expired "smtpd_tls_chain_files=$bed/tls/expired.pem"
        personality 5 wrong "smtpd_tls_chain_files=$bed/tls/wrong.pem"
        personality 6 none smtpd_tls_security_level=none
        personality 7 old "smtpd_tls_chain_files=$bed/tls/old.pem" smtpd_tls_protocols=TLSv1 smtpd_tls_mandatory_protocols=TLSv1 \
            tls_medium_cipherlist=ALL:@SECLEVEL=0 tls_high_cipherlist=ALL:@SECLEVEL=0
        personality 8 broken "smtpd_tls_chain_files=$bed/tls/broken.pem"
        personality 9 dane "smtpd_tls_chain_files=$bed/tls/dane.pem"
    } >"$conf/master.cf"
    chown postfix "$bed/data"
    chown nobody "$bed/mail"
    chmod 755 "$bed" "$conf"
    postfix -c "$conf" start >"$bed/log/postfix-start" 2>&1
}
