# a name server of its own for the process alone: _sip._udp.carrier.test SRV -> t1.carrier.test:$PEER, no A for carrier.test
PYTHONDONTWRITEBYTECODE=1 python3 "$HERE/dns.py" "$PEER" "$DNS" >"$HERE/dns.log" 2>&1 & sleep 0.4
printf "nameserver $DNS\noptions timeout:1 attempts:1\n" >"$HERE/resolv.conf"
mount --bind "$HERE/resolv.conf" /etc/resolv.conf && exec "$@"
